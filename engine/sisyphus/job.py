"""`Job`: one step of the work. Equal arguments give the same job object, id and folder."""

import copy
import logging
import os
import re

from . import block, tools
from . import global_constants as gc
from . import global_settings as gs
from .base import mistakes
from .base.layout import has_finished_marker as job_finished  # noqa: F401  upstream's name
from .job_path import Path, Variable
from .jobs.files import JobFiles
from .jobs.hooks import JobHooks
from .jobs.options import JobOptions, default_environment
from .jobs.states import JobStates
from .task import Task

created_jobs = {}  # id -> job, of this process

_ID_TEXT = re.compile(r"[-._/0-9A-Za-z]+")
_TAG = re.compile(r"[-._0-9A-Za-z]+")
_signatures = {}


def _parse_arguments(cls, args, kwargs):
    """Parameter name -> value with defaults filled in, without ``self``."""
    signature = _signatures.get(cls)
    if signature is None:
        import inspect  # a worker loads its job and makes none

        signature = _signatures[cls] = inspect.signature(cls.__init__)
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError as e:
        logging.error("cannot construct %s.%s: %s", cls.__module__, cls.__name__, e)
        raise
    bound.apply_defaults()
    parsed = dict(bound.arguments)
    del parsed[next(iter(parsed))]
    return parsed


class JobSingleton(type):
    """Returns the job that already exists for these arguments, or makes it."""

    def __call__(cls, *args, **kwargs):
        tags = kwargs.pop("sis_tags", None)
        parsed = _parse_arguments(cls, args, kwargs)
        module = cls.__module__.removeprefix(gc.RECIPE_PREFIX + ".")
        sis_id = f"{module.replace('.', '/')}/{cls.__name__}.{cls._sis_hash_static(parsed)}"
        job = created_jobs.get(sis_id)
        if job is None:
            job = cls._sis_create(sis_id, tags, parsed, args, kwargs)
            created_jobs[sis_id] = job
        elif tags is not None and set(tags) != job.tags:
            logging.warning("job %s exists with tags %s, ignoring %s", sis_id, sorted(job.tags), sorted(tags))
        block.add_job(job)
        job._sis_alias_prefixes.add(gs.ALIAS_AND_OUTPUT_SUBDIR)
        job._sis_add_stacktrace()
        return job

    def _sis_create(cls, sis_id, tags, parsed, args, kwargs):
        job = cls.__new__(cls, sis_id)
        if tags is None:
            tags = set().union(*(path.tags for path in tools.extract_paths(parsed)))
        for tag in tags:
            assert _TAG.fullmatch(tag), f"a tag consists of letters, digits and .-_ but {sis_id} got {tag!r}"
        args, kwargs, parsed = copy.deepcopy((args, kwargs, parsed))
        job._sis_init(sis_id, set(tags), parsed)
        mistakes.warn_of_jobs(job, parsed)
        if gs.AUTO_SET_JOB_INIT_ATTRIBUTES:
            job.set_attrs(parsed)
        job.__init__(*args, **kwargs)
        job._sis_collect_inputs(args, kwargs)
        return job


class Job(JobHooks, JobStates, JobFiles, JobOptions, metaclass=JobSingleton):
    """Base class of all jobs; see engine/README.md for what a subclass declares.

    Class attributes: ``__sis_hash_exclude__`` (parameter -> value that is left out of the hash),
    ``__sis_hash_overwrite__`` (list of ``(parameter, value, value to hash instead)``), ``__sis_version__``,
    ``__sis_optional_outputs__`` (patterns of output names that may be missing when the job is done).
    """

    __sis_hash_exclude__ = {}
    __sis_hash_overwrite__ = []
    __sis_version__ = None
    __sis_optional_outputs__ = ()

    def __new__(cls, sis_id=None, *_args, **_kwargs):
        if sis_id in created_jobs:
            return created_jobs[sis_id]
        job = super().__new__(cls)
        if sis_id is not None:
            job._sis_id_cache = sis_id
        return job

    def _sis_init(self, sis_id, tags, parsed):
        self._sis_id_cache = sis_id
        self._sis_tags = tags
        self._sis_kwargs = parsed
        self._sis_inputs = set()
        self._sis_outputs = {}
        self._sis_output_dirs = set()
        self._sis_aliases = set()
        self._sis_alias_prefixes = set()
        self._sis_vis_name = None
        self._sis_keep_value = None
        self._sis_hold_job = False
        self._sis_task_rqmt_overwrite = {}
        self._sis_environment = default_environment()
        self._sis_worker_wrapper = gs.worker_wrapper
        self._sis_is_finished = False
        self._sis_setup_since_restart = False
        self._sis_quiet = False
        self._sis_needed_for_which_targets = set()
        self._sis_stacktrace = []
        self._sis_blocks = set()
        self._sis_call_places = mistakes.call_places()

    def _sis_collect_inputs(self, args, kwargs):
        found = tools.extract_paths([self.__dict__, args, kwargs])
        self._sis_inputs |= {path for path in found if path.creator is not self}
        for path in self._sis_inputs:
            path.add_user(self)

    def _sis_add_stacktrace(self):
        depth = gs.JOB_ADD_STACKTRACE_WITH_DEPTH
        if depth > 0 and len(self._sis_stacktrace) < gs.JOB_ADD_STACKTRACE_MAX_COUNT:
            import traceback

            limit = None if depth == float("inf") else int(depth) + 2
            self._sis_stacktrace.append(traceback.extract_stack(limit=limit)[:-2])

    # identity ----------------------------------------------------------------------------------------------------
    @classmethod
    def hash(cls, parsed_args):
        """Hash text of the arguments ``{parameter: value}``; the second half of the job's id."""
        d = {
            k: v
            for k, v in parsed_args.items()
            if k not in cls.__sis_hash_exclude__ or cls.__sis_hash_exclude__[k] != v
        }
        for key, original, replacement in cls.__sis_hash_overwrite__:
            if key in d and d[key] == original:
                d[key] = replacement
        return tools.sis_hash(d if cls.__sis_version__ is None else (d, cls.__sis_version__))

    @classmethod
    def _sis_hash_static(cls, parsed_args):
        """`hash` of the arguments, checked to be fit for the name of a folder."""
        text = cls.hash(parsed_args)
        assert isinstance(text, str) and _ID_TEXT.fullmatch(text), (
            f"{cls.__name__}.hash must return letters, digits and .-_/ but gave {text!r}"
        )
        return text

    def _sis_id(self):
        return self._sis_id_cache

    def job_id(self):
        return self._sis_id_cache

    def _sis_hash(self):
        return self._sis_id_cache.encode()

    def __eq__(self, other):
        return type(self) is type(other) and self._sis_id_cache == other._sis_id_cache

    def __hash__(self):
        return hash(self._sis_id_cache)

    def __lt__(self, other):
        return self._sis_id_cache < other._sis_id_cache

    def __gt__(self, other):
        return self._sis_id_cache > other._sis_id_cache

    def __str__(self):
        alias = self.get_one_alias()
        if alias is None:
            return f"Job<{self._sis_path()}>"
        folder = min(self._sis_alias_prefixes, default="")
        return f"Job<{os.path.join(gs.ALIAS_DIR, folder, alias)} {self._sis_path()}>"

    def __repr__(self):
        return str(self)

    def __deepcopy__(self, memo):
        return self

    def __copy__(self):
        return self

    def __getnewargs__(self):
        return (self._sis_id_cache,)

    def __getstate__(self):
        dropped = (
            "_sis_task_cache",
            "_sis_worker_wrapper",
            "_sis_submitted_task",
            "_sis_blocks",
            "_sis_call_places",
            "_sis_creators_cache",
        )
        return {k: v for k, v in self.__dict__.items() if k not in dropped}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._sis_blocks = set()

    # for subclasses ----------------------------------------------------------------------------------------------
    def output_path(self, filename, directory=False, cached=False):
        """Declare an output file (or folder, made at set-up)."""
        path = Path(filename, self, cached=cached)
        known = self._sis_outputs.get(path.get_path())
        if known is not None:
            logging.warning("output %s of %s is declared twice", filename, self._sis_id_cache)
            return known
        self._sis_outputs[path.get_path()] = path
        if directory:
            self._sis_output_dirs.add(path)
        return path

    def output_var(self, filename, pickle=False, backup=None):
        """Declare an output value; with ``backup``, reading it before it is set gives the backup."""
        path = Variable(filename, self, pickle=pickle, backup=backup)
        assert path.get_path() not in self._sis_outputs, f"output {filename} of {self._sis_id_cache} is declared twice"
        self._sis_outputs[path.get_path()] = path
        return path

    def tasks(self):
        """The steps of the job, run one after the other."""
        yield Task("run")

    def add_input(self, path):
        self._sis_inputs.add(path)
        path.add_user(self)
        return path

    def sh(self, command, *args, **kwargs):
        """`tools.sh`; ``{name}`` in the command may also be an attribute of the job."""
        return tools.sh(command, *args, sis_quiet=self._sis_quiet, sis_replace=self.__dict__, **kwargs)
