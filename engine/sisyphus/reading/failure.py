"""Why a job failed, without touching its folder."""

from .. import global_constants as gc
from ..failures import last_cause
from .folder import JobFolder
from .usage import LOG

_LINES = 60  # of a log that are searched for it


def failure(snapshot, job, folder=None):
    """``(why, name of the log that tells it or None)``."""
    if job in snapshot.refused:
        return snapshot.refused[job], None
    folder = folder or JobFolder(job)
    entries = folder.entries
    errors = sorted(name.removeprefix("error.") for name in entries if name.startswith("error."))
    state = snapshot.states[job].replace("_", " ")
    if not errors and snapshot.states[job] == gc.STATE_ERROR:
        missing = ", ".join(map(job._sis_output_name, job._sis_missing_outputs()))
        return f"all tasks ended but did not write the declared output: {missing}", None
    if not errors:
        errors = _interrupted(entries)
    if not errors:
        return state, None
    task, _, number = errors[0].rpartition(".")
    more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    log = f"{gc.JOB_LOG}.{errors[0]}"
    cause = _cause(folder, log)
    return f"task {task} {number}{more}: {state}" + (f", {cause}" if cause else ""), log if log in entries else None


def _cause(folder, log):
    try:
        return last_cause(folder.tail(log, _LINES))
    except OSError:
        return None


def _interrupted(entries):
    """``<task>.<id>`` of what has a log but did not finish."""
    begun = (m[1] + "." + m[2] for name in sorted(entries) if (m := LOG.fullmatch(name)) and not m[3])
    return [task for task in begun if f"{gc.JOB_FINISHED_MARKER}.{task}" not in entries]
