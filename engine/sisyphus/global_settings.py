"""All settings (``gs``). A settings file is executed inside this module, after the defaults below.

Order: defaults, each file of ``SIS_GLOBAL_SETTINGS_FILE`` (default ``settings.py``), each environment variable
``SIS_<NAME>``. engine/README.md lists what every setting does.
"""

import os
import sys
import traceback as _traceback
from ast import literal_eval as _literal_eval

from .global_constants import *  # noqa: F403  settings files read the fixed names here
from .hash import short_hash

BASE_DIR = os.getcwd()


# Hooks -------------------------------------------------------------------------------------------------------------
engine = None  # a function; without one, tasks run on this machine (`localengine.this_machine`)
active_engine = None  # of a worker: the engine that runs its task


def worker_wrapper(job, task_name, call):
    """Change the command line of a worker, for example to start it in a container."""
    return call


def on_job_failure(job):
    """Called in every manager cycle for every job in state error."""


def on_new_failure(failure):
    """Called once in a run for every job that has failed, and for every running task that is silent for long."""


def on_job_finished(job):
    """Called when a job's finished marker is written."""


def update_engine_rqmt(last_rqmt, last_usage):
    """Requirements of a resubmission: more time or memory where the last run had too little.

    ``time`` is in hours, ``mem`` and ``rss`` are in GB. Where the engine does not know how it ended (``ended``), having
    been close to the limit counts.
    """
    rqmt = dict(last_rqmt)
    guess = "ended" not in last_usage
    close = guess and rqmt.get("time", 0) - last_usage.get("used_time", 0) < 0.1
    if "time" in rqmt and (last_usage.get("out_of_time") or close):
        rqmt["time"] *= 2
    close = guess and rqmt.get("mem", 0) - last_usage.get("max", {}).get("rss", 0) < 0.25
    if "mem" in rqmt and (last_usage.get("out_of_memory") or close):
        rqmt["mem"] *= 2
    return rqmt


def check_engine_limits(current_rqmt, task):
    """Last word on the requirements of every submission."""
    return current_rqmt


def file_caching(path):
    """Local copy of a path declared ``cached=True``."""
    return path


# Names -------------------------------------------------------------------------------------------------------------
SIS_HASH = short_hash
WORK_DIR = "work"
ALIAS_DIR = "alias"
OUTPUT_DIR = "output"
ALIAS_AND_OUTPUT_SUBDIR = ""
CONFIG_FILE_DEFAULT = "config.py"
CONFIG_FUNCTION_DEFAULT = "config.main"
IMPORT_PATHS = ["config", "recipe", "recipe/"]
FINISHED_LOG = "log/finished.log"
TEAM_SHARE_DIR = None
TMP_PREFIX = os.path.join(os.environ.get("TMPDIR", "/tmp"), "sis_")
if os.path.basename(sys.argv[0] or "") in ("sis", "sisyphus"):
    SIS_COMMAND = [sys.executable, os.path.abspath(sys.argv[0])]
else:
    SIS_COMMAND = [sys.executable, "-m", "sisyphus"]

# Waits in seconds. The waits for a file system to become consistent are kept only where it is a network one. ---------
WAIT_PERIOD_JOB_FS_SYNC = 30
WAIT_PERIOD_BETWEEN_CHECKS = 30
WAIT_PERIOD_JOB_CLEANUP = 10
WAIT_PERIOD_QSTAT_PARSING = 15
WAIT_PERIOD_MTIME_OF_INPUTS = 60
WAIT_PERIOD_FOR_INPUTS_AVAILABLE = 60

# Behaviour -----------------------------------------------------------------------------------------------------------
MAX_SUBMIT_RETRIES = 3
RETRY_RULES = []
CLEAR_ERROR = False
CHECK_OUTPUTS = True
TASK_INPUTS_MUST_BE_AVAILABLE = True
INCLUDE_CREATOR_STATE = False
AUTO_SET_JOB_INIT_ATTRIBUTES = False
JOB_USE_TAGS_IN_PATH = False
JOB_AUTO_CLEANUP = True
JOB_CLEANER_INTERVAL = 60
JOB_CLEANUP_KEEP_WORK = False
JOB_CLEANUP_KEEP_INPUT = True
JOB_DEFAULT_KEEP_VALUE = 50
DELAYED_CHECK_FOR_WORKER = False
RAISE_VARIABLE_NOT_SET_EXCEPTION = True
WARNING_ABSPATH = True
WARNING_NO_FUNCTION_CALLED = True
ENGINE_NOT_SETUP_WARNING = True
JOB_ADD_STACKTRACE_WITH_DEPTH = 0
JOB_ADD_STACKTRACE_MAX_COUNT = 5

# Output --------------------------------------------------------------------------------------------------------------
SHOW_JOB_TARGETS = True
SHOW_VIS_NAME_IN_MANAGER = True
PRINT_ERROR = True
PRINT_ERROR_LINES = 40
STATUS_PERIOD = 60
SILENT_HOURS = None

# Resource use of tasks -----------------------------------------------------------------------------------------------
PLOGGING_INTERVAL = 5
PLOGGING_UPDATE_FILE_PERIOD = 60
PLOGGING_MIN_CHANGE = 0.1
PLOGGING_QUIET = False

# Environment of tasks ------------------------------------------------------------------------------------------------
CLEANUP_ENVIRONMENT = True
DEFAULT_ENVIRONMENT_KEEP = {
    "CUDA_VISIBLE_DEVICES",
    "HOME",
    "PWD",
    "SGE_STDERR_PATH",
    "SGE_TASK_ID",
    "TMP",
    "TMPDIR",
    "USER",
}
DEFAULT_ENVIRONMENT_SET = {
    "LANG": "en_US.UTF-8",
    "MKL_NUM_THREADS": 1,
    "OMP_NUM_THREADS": 1,
    "PATH": ":".join(
        [os.path.dirname(sys.executable)]  # first: tasks find the programs of the manager's virtual environment
        + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    ),
    "SHELL": "/bin/bash",
}

# Without effect here: settings files written for upstream may read and set them. --------------------------------------
CACHE_FINISHED_RESULTS = False
CACHE_FINISHED_RESULTS_MAX_SIZE = 1024
CACHE_FINISHED_RESULTS_PATH = "finished_results_cache.pkl"
CLEANER_PRINT_ALIAS = True
FILESYSTEM_CACHE_TIME = 30
GRAPH_WORKER = 16
JOB_CLEANER_WORKER = 5
JOB_MAX_NUMBER_OF_LOCKS = 100
LEGACY_PATH_CONVERSION = False
LEGACY_VARIABLE_CONVERSION = False
MANAGER_SUBMIT_WORKER = 10
PRINT_ERROR_TASKS = 1
PRINT_HOLD = True
PRINT_OLD_LOG_FILE_RUNNING = None
PRINT_STALE_STATE_OVERVIEW_PERIOD = None
SKIP_IS_FINISHED_TIMEOUT = False
USE_SIGNAL_HANDLERS = False
USE_UI = True
USE_VERBOSE_TRACEBACK = False
VERBOSE_TRACEBACK_TYPE = "ipython"
WAIT_PERIOD_CACHE = 20
WAIT_PERIOD_HTTP_RETRY_BIND = 10
WAIT_PERIOD_SSH_TIMEOUT = 15

# Loading -------------------------------------------------------------------------------------------------------------
GLOBAL_SETTINGS_FILE_CONTENT = ""
ENVIRONMENT_SETTINGS = {}
_DEFAULTS_FILE = __file__


def update_global_settings_from_text(text, filename):
    """Execute ``text`` inside this module and keep it in ``GLOBAL_SETTINGS_FILE_CONTENT``."""
    module = globals()
    module["GLOBAL_SETTINGS_FILE_CONTENT"] += f"##### Settings file: {filename} #####\n{text}\n"
    module["__file__"] = os.path.abspath(filename)  # settings files may look beside themselves
    try:
        exec(compile(text, filename, "exec"), module)
    finally:
        module["__file__"] = _DEFAULTS_FILE


def update_global_settings_from_file(filename):
    """Execute the file, if it is there."""
    try:
        with open(filename, encoding="utf-8") as f:
            text = f.read()
    except FileNotFoundError:
        if "SIS_GLOBAL_SETTINGS_FILE" in os.environ:
            print(f"SIS_GLOBAL_SETTINGS_FILE names {filename}, which is not there: correct it", file=sys.stderr)
        return
    update_global_settings_from_text(text, filename)


def update_global_settings_from_env():
    """Set what the environment says, and add it to ``GLOBAL_SETTINGS_FILE_CONTENT``."""
    module, content = globals(), []
    for key, value in os.environ.items():
        name = key[4:]
        if not key.startswith("SIS_") or not name:
            continue
        if name == "IMPORT_PATHS":
            parsed = value.split(":")
        else:
            try:
                parsed = _literal_eval(value)
            except (ValueError, SyntaxError):
                parsed = value
        ENVIRONMENT_SETTINGS[key] = value
        content.append(f"{name} = {parsed!r}\n")
        if name != "GLOBAL_SETTINGS_FILE":
            module[name] = parsed
    if content:
        module["GLOBAL_SETTINGS_FILE_CONTENT"] += "##### Settings from environment #####\n" + "".join(content)


def error_as_text(error):
    """``settings.py:7: NameError: ...``, for an exception of the settings."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = _traceback.extract_tb(error.__traceback__)
    frames = [f for f in frames if not f.filename.startswith((os.path.dirname(_DEFAULTS_FILE) + os.sep, "<"))]
    lines = [f"{f.filename}:{f.lineno}: " for f in frames if f.filename == frames[0].filename]
    return f"{lines[-1] if lines else ''}{type(error).__name__}: {error}"


_names = set(globals())
for _name in os.environ.get("SIS_GLOBAL_SETTINGS_FILE", "settings.py").split(":"):
    if _name:
        try:
            update_global_settings_from_file(_name)
        except Exception as _error:  # whoever imports this module cannot go on without the settings
            _words = error_as_text(_error).removeprefix(f"{_name}:")
            print(f"the settings cannot be used: {_name}:{_words}", file=sys.stderr)
            raise SystemExit(2) from _error
update_global_settings_from_env()
WORK_DIR = os.path.normpath(WORK_DIR)  # names of job folders are compared as texts
default_names = frozenset(_names)
