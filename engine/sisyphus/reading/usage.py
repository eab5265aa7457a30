"""Reads from files how far the tasks of a job are and what they use. Nothing is renamed or marked."""

import contextlib
from typing import NamedTuple

from ..base import layout
from ..base.usage_file import parse_usage, runs_here
from ..base.usage_history import parse_history

SHOWN = 100  # ids of a task that are looked at closely
_ORDER = ("error", "interrupted", "running", "queued", "not started", "finished")


class TaskId(NamedTuple):
    number: int
    state: str
    usage: dict
    modified: float  # unix time of the usage file


class TaskView(NamedTuple):
    name: str
    rqmt: str
    ids: list  # of the `TaskId`s that matter most
    counts: dict  # state -> number of ids
    submissions: list  # (ids, requirements)


def tasks(job, folder, running):
    """A `TaskView` of every task that is known; ``running``: whether the manager counts the job as running."""
    known = {task.name(): task for task in job.__dict__.get("_sis_task_cache") or ()}
    ids = {name: set(task.task_ids()) for name, task in known.items()}
    for name in sorted(folder.entries, key=lambda name: folder.entries[name].modified):
        if file := layout.task_file(name):
            ids.setdefault(file.task, set()).add(file.task_id)
    return [_task(folder, name, known.get(name), sorted(numbers), running) for name, numbers in ids.items()]


def _task(folder, name, task, numbers, running):
    submissions = [one for one in layout.parse_submissions(folder.text(layout.submit_log_name(name))) if one[0]]
    submitted = {i for ids, _ in submissions for i in ids}
    states = {i: _state(folder.entries, name, i, i in submitted, running) for i in numbers}
    shown = sorted(numbers, key=lambda i: (_ORDER.index(states[i]), i))[:SHOWN]
    counts = {state: n for state in _ORDER if (n := sum(s == state for s in states.values()))}
    return TaskView(name, _requested(task), [_id(folder, name, i, states[i]) for i in shown], counts, submissions)


def _state(entries, task, task_id, submitted, running):
    if layout.name_of(layout.FINISHED, task, task_id) in entries:
        return "finished"
    if layout.name_of(layout.ERROR, task, task_id) in entries:
        return "error"
    if layout.name_of(layout.LOG, task, task_id) in entries:
        return "running" if running else "interrupted"
    return "queued" if submitted and running else "not started"


def _id(folder, name, number, state):
    file = layout.name_of(layout.USAGE, name, number)
    usage = parse_usage(folder.text(file))
    if state == "running" and runs_here(usage) is False:
        state = "interrupted"
    return TaskId(number, state, usage, folder.entries[file].modified if usage else 0.0)


def _requested(task):
    with contextlib.suppress(Exception):  # a requirement that is no number, and whatever the recipe's objects do
        return request_as_text(task.rqmt())
    return ""


def request_as_text(rqmt):
    """``cpu 4, mem 8 GB, time 2 h``."""
    units = {"mem": " GB", "time": " h"}
    shown = {k: f"{v:g}" if isinstance(v, float) else v for k, v in rqmt.items() if k not in layout.BESIDE_REQUEST}
    return ", ".join(f"{k} {v}{units.get(k, '')}" for k, v in shown.items())


def run_time(folder, now):
    """Seconds since the last measured task began; None if no task was measured."""
    usages = [(e.modified, name) for name, e in folder.entries.items() if layout.is_usage(name)]
    if not usages:
        return None
    modified, name = max(usages)
    used = parse_usage(folder.text(name)).get("used_time")
    return None if used is None else 3600 * used + max(now - modified, 0)


def history(folder, task, number):
    """Points of the task id over time, see `sisyphus.base.usage_history`."""
    return parse_history(folder.text(layout.name_of(layout.USAGE_HISTORY, task, number)))
