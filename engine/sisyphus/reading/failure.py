"""Why a job failed: the one answer for the terminal, the hook of the settings, ``sis info`` and the status page.

It is read from the files of the job; nothing is renamed, marked or written.
"""

import re

from .. import global_constants as gc
from ..base import layout
from .folder import JobFolder

_LINES = 60  # of a log that are searched for the cause
_CAUSE = re.compile(r"\[[^]]*\] ERROR: (.*)|([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Missing)\b.*)")


def failure(job, state, *, refused=None, engine=None, folder=None):
    """``(why, name of the log that says it, or None)`` of a job in a failed or interrupted ``state``.

    ``refused``: why the job could not be started at all, which is then the answer. ``engine``: may add a remark; only
    the manager asks it. ``folder``: the `JobFolder`, if somebody has read it.
    """
    if refused is not None:
        return refused, None
    folder = folder or JobFolder(job)
    failed = _failed(folder.entries)
    if not failed and state == gc.STATE_ERROR:
        missing = ", ".join(map(job._sis_output_name, job._sis_missing_outputs()))
        return f"all tasks ended but did not write the declared output: {missing}", None
    failed = failed or _interrupted(folder.entries) or (_waiting(job) if engine else [])
    words = state.replace("_", " ")
    if not failed:
        return words, None
    task, task_id = failed[0]
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    log = f"{layout.LOG}.{task}.{task_id}"
    cause = _cause(folder, log)
    remark = engine and engine.remark(job._sis_task(task), task_id)
    why = f"task {task} {task_id}{more}: {words}" + (f", {cause}" if cause else "") + (f" ({remark})" if remark else "")
    return why, log if log in folder.entries else None


def _files(entries, kind):
    """``(task, id)`` of the files of one kind, in order."""
    files = filter(None, map(layout.task_file, entries))
    return sorted((file.task, file.task_id) for file in files if file.kind == kind)


def _failed(entries):
    return _files(entries, layout.ERROR)


def _interrupted(entries):
    """What has a log but did not finish."""
    finished = set(_files(entries, layout.FINISHED))
    return [begun for begun in _files(entries, layout.LOG) if begun not in finished]


def _waiting(job):
    """What waits in a queue, and has written nothing."""
    task = job._sis_next_task()
    return [(task.name(), i) for i in task.task_ids()] if task else []


def _cause(folder, log):
    try:
        return last_cause(folder.tail(log, _LINES))
    except OSError:
        return None


def last_cause(lines):
    """The last line of a log that the engine wrote as an error, or that ends one of Python's tracebacks, else None."""
    found = filter(None, map(_CAUSE.fullmatch, reversed(lines)))
    return next((match[1] or match[2] for match in found), None)
