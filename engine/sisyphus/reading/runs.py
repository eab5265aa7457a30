"""When the tasks of a job ran, on what, and how long they waited, read from the files that they leave anyway."""

import math
from typing import NamedTuple

from ..base import layout
from ..base.usage_file import parse_usage, runs_here

IDS = 1000  # of a job that are read


class Run(NamedTuple):
    """One task id. If it was started again in its folder, this is its last process."""

    task: str
    task_id: int
    begin: float  # unix time
    end: float  # unix time, now if the task still runs
    cores: float  # requested, like `gpus`
    gpus: float
    waited: float | None  # seconds since its submission; None if it is unknown, as after a later one of this task


def runs(folder, running_until=None):
    """The `Run`s of a `JobFolder`, by task and number.

    ``running_until``: the unix time at which ids without an end still run; None if the job does not run.
    """
    ids = layout.ids_with(folder.entries, layout.USAGE)[:IDS]
    ended = set(layout.ids_with(folder.entries, layout.FINISHED, layout.ERROR))
    files = {layout.name_of(layout.USAGE, *one): one for one in ids}
    found = []
    for name, text in folder.texts(files):
        usage, modified = parse_usage(text), folder.entries[name].modified
        seconds = 3600 * _number(usage.get("used_time"), -1)
        if seconds < 0:
            continue
        begin, end = modified - seconds, modified
        if running_until is not None and files[name] not in ended and runs_here(usage) is not False:
            end = max(end, running_until)
        requested = usage.get("requested_resources") or {}
        cores, gpus = _number(requested.get("cpu"), 1), _number(requested.get("gpu"), 0)
        found.append(Run(*files[name], begin, end, cores, gpus, _waited(folder, files[name][0], begin)))
    return sorted(found)


def _number(value, default):
    return value if isinstance(value, (int, float)) and math.isfinite(value) else default


def _waited(folder, task, begin):
    """Seconds from the last submission of the task until ``begin``."""
    submitted = folder.entries.get(layout.submit_log_name(task))
    return begin - submitted.modified if submitted and submitted.modified <= begin else None
