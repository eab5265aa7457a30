"""Files that jobs read and write (`Path`), and small values kept in such files (`Variable`)."""

import copy
import gzip
import logging
import os
import pickle

from . import global_constants as gc
from . import global_settings as gs
from .base import mistakes, role
from .base.writing import write_atomically
from .delayed_ops import DelayedBase
from .hash import sis_hash_helper


class VariableNotSet(Exception):
    """A variable was read before the job that sets it has finished."""


class NoBackup:
    """Default of ``Variable(backup=...)``: reading an unset variable is an error."""


class AbstractPath(DelayedBase):
    """A file name below the output folder of its ``creator`` job, or as given if there is no creator.

    ``available`` is a function of the path that says whether it may be used already.
    """

    def __init__(self, path, creator=None, cached=False, hash_overwrite=None, tags=None, available=None):
        assert isinstance(path, str), f"a path must be a str, not {type(path)}: {path!r}"
        if hash_overwrite is None and gs.WARNING_ABSPATH and creator is None and path.startswith(gs.BASE_DIR + "/"):
            logging.warning("absolute path inside the setup folder makes job ids depend on where it lies: %s", path)
        self.creator = creator
        self.path = path
        self.cached = cached
        self.hash_overwrite = hash_overwrite
        self._tags = tags
        self._available = available
        self.users = set()

    # what the path is ------------------------------------------------------------------------------------------
    def rel_path(self):
        """File name relative to the setup folder."""
        if self.creator is None:
            return self.path
        if isinstance(self.creator, str):
            return os.path.join(self.creator, self.path)
        return f"{self.creator._sis_path(gc.JOB_OUTPUT)}/{self.path}"

    def get_path(self):
        """Absolute file name."""
        return os.path.join(gs.BASE_DIR, self.rel_path())

    def get_cached_path(self):
        """In a worker, the local copy of a path that is ``cached``, unless the job itself writes it."""
        path = self.get_path()
        if self.cached and role.running_in_worker() and not role.is_own_output(path):
            return gs.file_caching(path)
        return path

    def get(self):
        _check_for_worker(self)
        return self.get_path()

    def __str__(self):
        return self.get_cached_path()

    def __repr__(self):
        return f"<{type(self).__name__} {self.get_path()}>"

    def __fspath__(self):
        return self.get_cached_path()

    @property
    def tags(self):
        if self._tags is not None:
            return self._tags
        return getattr(self.creator, "tags", None) or set()

    @tags.setter
    def tags(self, value):
        self._tags = value

    def available(self):
        """Whether consumers may start: its job is finished, or the file exists if no job makes it."""
        custom = getattr(self, "_available", None)
        if custom is not None:
            return custom(self)
        if self.creator is None or isinstance(self.creator, str):
            return os.path.exists(self.get_path())
        return self.creator.path_available(self)

    def is_set(self):
        return self.available()

    def add_user(self, user):
        self.users.add(user)

    def keep_value(self, value):
        """Set how long the creator's results are kept by the clean-up (0..99)."""
        if self.creator is not None:
            self.creator.keep_value(value)

    def get_needed_jobs(self, visited):
        """See `Job._sis_get_needed_jobs`."""
        return self.creator._sis_get_needed_jobs(visited) if hasattr(self.creator, "_sis_id") else set()

    # derived paths ----------------------------------------------------------------------------------------------
    def copy(self):
        return copy.deepcopy(self)

    def copy_append(self, suffix):
        """The same path with ``suffix`` behind its name."""
        new = self.copy()
        new.path = self.path + suffix
        if self.hash_overwrite is not None:
            new.hash_overwrite = (self.hash_overwrite[0], self.hash_overwrite[1] + suffix)
        return new

    def join_right(self, other):
        """``other`` inside this folder."""
        return self.copy_append("/" + other)

    # small questions about the file -------------------------------------------------------------------------------
    def is_zipped(self):
        """Whether the file is gzip'd, by its first bytes; None while it is not available."""
        if not self.available():
            return None
        with open(self.get_path(), "rb") as f:
            zipped = f.read(2) == b"\x1f\x8b"
        if zipped != self.path.endswith(".gz"):
            logging.warning("%s %s gzip'd, which its name denies", self.get_path(), "is" if zipped else "is not")
        return zipped

    def size(self):
        return os.path.getsize(self.get_path())

    def lines(self):
        opener = gzip.open if self.is_zipped() else open
        with opener(self.get_path(), "rb") as f:
            return sum(1 for _ in f)

    def estimate_text_size(self):
        """Bytes of the text, a guess if the file is gzip'd."""
        return int(self.size() * (3.5 if self.is_zipped() else 1))

    # identity -----------------------------------------------------------------------------------------------------
    @property
    def hash_overwrite(self):
        """What enters the hash of consumers instead of creator and path: a text, or ``(creator, text)``."""
        return self._hash_overwrite

    @hash_overwrite.setter
    def hash_overwrite(self, value):
        if isinstance(value, str):
            value = (None, value)
        assert value is None or (isinstance(value, tuple) and len(value) == 2), (
            f"hash_overwrite of {self.path} must be a text or (creator, text), not {value!r}"
        )
        self._hash_overwrite = value

    def _sis_hash(self):
        creator, path = self.hash_overwrite or (self.creator, self.path)
        if hasattr(creator, "_sis_id"):
            creator = creator._sis_id() + "/" + gc.JOB_OUTPUT
        return b"(Path, " + sis_hash_helper((creator, path)) + b")"

    def __eq__(self, other):
        return type(self) is type(other) and self.creator == other.creator and self.path == other.path

    def __hash__(self):
        return hash((self.creator, self.path))

    def __lt__(self, other):
        return self._order() < other._order()

    def __gt__(self, other):
        return self._order() > other._order()

    def _order(self):
        creator = self.creator._sis_id() if hasattr(self.creator, "_sis_id") else self.creator
        return f"{creator} {self.path}"

    def __sis_state__(self):
        return {k: v for k, v in self.__dict__.items() if k != "users"}

    def __deepcopy__(self, memo):
        new = type(self).__new__(type(self))
        new.__dict__.update(self.__dict__, users=set())
        for key, value in self.__dict__.items():
            if key not in ("creator", "users") and type(value) not in (str, bool, type(None)):
                new.__dict__[key] = copy.deepcopy(value, memo)
        return new

    def __getstate__(self):
        """Stored paths are absolute and know no creator, so a stored job does not carry the whole graph along."""
        state = self.__sis_state__()
        if not gs.INCLUDE_CREATOR_STATE:
            state["creator"] = None
            state["path"] = self.get_path()
            overwrite = self.hash_overwrite
            if overwrite and hasattr(overwrite[0], "_sis_id"):
                state["_hash_overwrite"] = (overwrite[0]._sis_id() + "/" + gc.JOB_OUTPUT, overwrite[1])
        return state

    def __setstate__(self, state):
        for key, value in state.items():
            setattr(self, key, value)
        self.users = set()


class Path(AbstractPath):
    __doc__ = AbstractPath.__doc__
    path_type = "Path"


class Variable(AbstractPath):
    """A value in a file: its ``repr`` in one line, or a gzip'd pickle."""

    path_type = "Variable"

    def __init__(self, path, creator=None, pickle=False, backup=NoBackup, **kwargs):
        super().__init__(path, creator, **kwargs)
        self.pickle = pickle
        self.backup = backup

    def set(self, value):
        """Store ``value``. Raises `TypeError` if the stored text could not be read back."""
        if self.pickle:
            content = gzip.compress(pickle.dumps(value))
        else:
            text = repr(value)
            try:
                _evaluate(text)
            except Exception as e:
                raise TypeError(
                    f"{self.rel_path()}: {text!r} cannot be read back as a Python literal ({e}); "
                    "convert it to a plain value or declare the variable with pickle=True"
                ) from None
            content = f"{text}\n".encode()
        write_atomically(self.get_path(), content, mode="wb")

    def is_set(self):
        return os.path.isfile(self.get_path())

    def get(self):
        """The stored value; the backup, an error or a placeholder while it is unset.

        Raises `ValueError` if the file cannot be read back.
        """
        _check_for_worker(self)
        if not self.is_set():
            backup = getattr(self, "backup", NoBackup)
            if backup is not NoBackup:
                if backup is None and self.creator is not None:
                    mistakes.warn_of_unset(self)
                return backup
            if gs.RAISE_VARIABLE_NOT_SET_EXCEPTION:
                raise VariableNotSet(f"variable {self.get_path()} is not set: its job has not finished")
            return f"<UNFINISHED VARIABLE: {self.get_path()}>"
        with open(self.get_path(), "rb") as f:
            content = f.read()
        try:
            return pickle.loads(gzip.decompress(content)) if self.pickle else _evaluate(content.decode())
        except Exception as e:  # a text or pickle may raise anything
            raise ValueError(
                f"variable {self.get_path()} cannot be read ({type(e).__name__}: {e}): if the file is empty or cut, "
                "run the job again that sets it (sis rerun --force JOB CONFIG)"
            ) from e

    def __str__(self):
        return str(self.get())

    def __repr__(self):
        value = f" {self.get()}" if self.is_set() else ""
        return f"<Variable {self.rel_path()}{value}>"


def _evaluate(text):
    return eval(text, {"nan": float("nan"), "inf": float("inf")})


def _check_for_worker(path):
    if gs.DELAYED_CHECK_FOR_WORKER:
        assert role.running_in_worker(), f"{path!r} is read while the graph is built"
