"""What the usage file of a task id says, and whether the process that it names still runs."""

import ast
import contextlib
import os
import time

from .. import global_settings as gs
from . import processes


def parse_usage(text):
    """The dict that a usage file holds, ``{}`` for half a file or anything else."""
    try:
        usage = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):  # the latter two: of brackets without end
        return {}
    return usage if isinstance(usage, dict) else {}


def read_usage(filename):
    """Content of a usage file, ``{}`` if there is none."""
    try:
        with open(filename, encoding="utf-8") as f:
            usage = parse_usage(f.read())
    except (FileNotFoundError, ValueError):
        return {}
    if "start_time" not in usage and usage.get("host") == processes.hostname():  # upstream wrote it
        usage["start_time"] = _start_time_of_writer(usage)
    return usage


def _start_time_of_writer(usage):
    """Start time of the process that wrote the file; None if a later process has its id."""
    import psutil

    with contextlib.suppress(KeyError, ValueError, psutil.Error):
        if psutil.Process(usage["pid"]).create_time() < time.mktime(time.strptime(usage["current_time"])) + 1:
            return processes.start_time(usage["pid"])
    return None


def recently_active(usage, usage_file, log):
    """Whether the files of a task were written so recently that it may run on another host."""
    age = gs.WAIT_PERIOD_JOB_FS_SYNC + gs.PLOGGING_UPDATE_FILE_PERIOD + gs.WAIT_PERIOD_JOB_CLEANUP
    times = [os.path.getmtime(name) for name in (usage_file, log) if os.path.exists(name)]
    return bool(usage and times) and time.time() - max(times) < age


def end_leftovers(folder, usage_files):
    """Kill the commands that work in the job folder for workers of this host that have ended."""
    ended = [usage["pid"] for usage in map(read_usage, usage_files) if runs_here(usage) is False]
    if ended:
        processes.kill_sessions(ended, folder)


def runs_here(usage):
    """Whether the process that a usage file names runs on this host; None if the file names another host."""
    if usage.get("host") != processes.hostname() or not {"pid", "start_time"} <= usage.keys():
        return None
    return processes.is_running(usage["pid"], usage["start_time"])
