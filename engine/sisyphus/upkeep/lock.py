"""One manager per work folder: ``work/.manager.lock`` names it."""

import contextlib
import errno
import fcntl
import os
import sys
import time

from .. import global_settings as gs
from ..base import processes
from ..base.refusal import Refusal
from ..base.usage_file import runs_here

HEARTBEAT = 60  # seconds between touches of the lock
PATIENCE = 5  # seconds to wait for a lock whose owner is dead
_NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)
_LARGEST = 100_000  # characters of a lock
STALE_AFTER = 600  # seconds without a touch after which the lock of another host is not believed any more


class WorkFolderUnusable(Refusal):
    """The work folder is a link to nowhere, or cannot be made or written."""


class WorkFolderReadOnly(WorkFolderUnusable):
    """The work folder may not be written."""


class WorkFolderLocked(WorkFolderUnusable):
    """Another manager works on the same folder."""


class ManagerLock:
    """Context manager. The operating system drops the lock when its process ends in any way, and the next manager
    overwrites what a killed one left in the file. A lock of another host counts as dropped when it is old."""

    def __init__(self):
        self._name = os.path.join(gs.BASE_DIR, gs.WORK_DIR, ".manager.lock")
        self._file = None
        self._owner = {}
        self._touched = 0.0

    def __enter__(self):
        try:
            self._take()
        except OSError as e:
            kind = WorkFolderReadOnly if e.errno in _NOT_ALLOWED else WorkFolderUnusable
            raise kind(f"cannot write {self._name}, which every manager does: {e.strerror or e}") from e
        return self

    def _take(self):
        import json  # only who takes the lock needs it

        deadline = time.monotonic() + PATIENCE
        while self._file is None:
            self._file = self._try_lock(deadline)
        self._file.seek(0)
        self._file.truncate()
        self._owner = {
            "pid": os.getpid(),
            "host": processes.hostname(),
            "since": time.strftime("%F %T"),
            "call": " ".join(sys.argv),
            "setup": gs.BASE_DIR,
            "start_time": processes.start_time(os.getpid()),
        }
        json.dump(self._owner, self._file)
        self._file.flush()

    def _try_lock(self, deadline):
        file = open(self._name, "a+", encoding="utf-8")  # noqa: SIM115  closed by __exit__
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(file)
            if (owner and runs_here(owner) is not False) or time.monotonic() > deadline:
                raise WorkFolderLocked(_refusal(self._name, owner)) from None
            time.sleep(0.05)  # a process that a killed manager was starting holds the lock for a moment
            file.close()
            return None
        except OSError:  # a file system without locks
            if runs_here(_owner(file)):
                raise WorkFolderLocked(_refusal(self._name, _owner(file))) from None
        owner = _owner(file)
        foreign = owner.get("host") not in (None, processes.hostname())
        if foreign and time.time() - os.fstat(file.fileno()).st_mtime < STALE_AFTER:
            raise WorkFolderLocked(_refusal(self._name, owner))
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(file.fileno()).st_ino == os.stat(self._name).st_ino:
                return file
        file.close()  # the owner removed it between our open and our lock
        return None

    def touch(self):
        """Show other hosts that this manager is alive; called in every cycle."""
        if time.monotonic() - self._touched > HEARTBEAT:
            with contextlib.suppress(OSError):  # the next one may succeed
                os.utime(self._file.fileno())
            self._touched = time.monotonic()

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            with open(self._name, encoding="utf-8") as file:
                ours = _owner(file) == self._owner  # or somebody was sure that we do not run
            if ours:
                os.unlink(self._name)
        self._file.close()


def _owner(file):
    """What a manager wrote into its lock; empty if it is anything else."""
    import json

    file.seek(0)
    try:
        owner = json.loads(file.read(_LARGEST))
        whole = isinstance(owner["host"], str) and isinstance(owner.get("pid", 0), int)
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return owner if whole else {}


def _refusal(name, owner):
    who = "process {pid} on host {host} since {since}, in {setup}: {call}".format_map(_Unknown(owner))
    return (
        f"another manager works on this folder: {who}\n"
        f"Stop it first. If you are sure that it does not run any more, remove {name}"
    )


class _Unknown(dict):
    def __missing__(self, key):
        return "(unknown)"
