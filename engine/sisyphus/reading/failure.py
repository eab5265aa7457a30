"""Why a job failed: the one answer for the terminal, the hook of the settings, ``sis info`` and the status page.

Without an engine it is read from the files of the job; nothing is renamed, marked or written.
"""

import re

from .. import global_constants as gc
from ..base import layout
from ..base.usage_file import parse_usage, runs_here
from .folder import JobFolder

_WELL = {gc.STATE_FINISHED, gc.STATE_RUNNABLE, gc.STATE_QUEUE, gc.STATE_RUNNING}
_LINES = 60  # of a log that are searched for the cause
_CAUSE = re.compile(r"\[[^]]*\] ERROR: (.*)|([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Missing)\b.*)")


_INTRODUCTIONS = "] ERROR: Job failed, traceback:", "] ERROR: Executed command failed:"  # by `task.Task.run`
_RAISED = re.compile(r"[A-Za-z_][\w.]*(: .*)?")  # an exception, whatever its name


def failure(job, state, *, refused=None, engine=None, folder=None):
    """``(why, name of the log that says it, or None)`` of a job in a failed or interrupted ``state``.

    ``refused``: why the job could not be started at all, which is then the answer. ``engine``: of the manager, which
    alone may ask it; it knows which ids still run or wait, and may add a remark. Without it the files have to do.
    ``folder``: the `JobFolder`, if somebody has read it.
    """
    if refused is not None:
        return refused, None
    folder = folder or JobFolder(job._sis_path(abspath=True))
    failed = layout.ids_with(folder.entries, layout.ERROR)
    if tasks := job.__dict__.get("_sis_task_cache"):  # markers of tasks that the recipe had once say nothing
        failed = [one for one in failed if one[0] in [task.name() for task in tasks]]
    if not failed and state == gc.STATE_ERROR:
        missing = ", ".join(map(job._sis_output_name, job._sis_missing_outputs()))
        return f"all tasks ended but did not write the declared output: {missing}", None
    failed = failed or (_interrupted(folder) if engine is None else _in_trouble(job, engine))
    words = state.replace("_", " ")
    if not failed:
        return words, None
    task, task_id = failed[0]
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    log = layout.name_of(layout.LOG, task, task_id)
    cause = _cause(folder, log)
    remark = engine and engine.remark(job._sis_task(task), task_id)
    why = f"task {task} {task_id}{more}: {words}" + (f" ({remark})" if remark else "") + (f", {cause}" if cause else "")
    return why, log if log in folder.entries else None


def _interrupted(folder):
    """``(task, id)`` of what has a log, did not finish, and does not run on this machine."""
    begun = layout.open_ids(folder.entries)
    usages = (parse_usage(folder.text(layout.name_of(layout.USAGE, *one))) for one in begun)
    return [one for one, usage in zip(begun, usages, strict=True) if not runs_here(usage)]


def _in_trouble(job, engine):
    """``(task, id)`` of the ids that neither are finished, nor run, nor will run."""
    task = job._sis_next_task()
    states = {i: task.state(engine, i) for i in task.task_ids()} if task else {}
    return [(task.name(), i) for i, state in states.items() if state not in _WELL]


def _cause(folder, log):
    try:
        return last_cause(folder.tail(log, _LINES))
    except OSError:
        return None


def last_cause(lines):
    """The last line of a log that the engine wrote as an error, or that ends one of Python's tracebacks, else None."""
    begin = max((number for number, line in enumerate(lines) if line.endswith(_INTRODUCTIONS)), default=len(lines))
    for number, line in reversed(list(enumerate(lines))):
        if number == begin:
            return None  # what is above belongs to an earlier try
        if match := _CAUSE.fullmatch(line):
            return match[1] or match[2]
        if number > begin and lines[number - 1].startswith("    ") and _RAISED.fullmatch(line):
            return line
    return None
