"""The files of a job folder: what they are called, what a name says, and how the tries of a task id are counted.

work/<id>/log.run.1            what the task id has printed; `log.run.1.error.01` of the first try that failed
work/<id>/error.run.1          the marker of a failed task id
work/<id>/finished.run.1       the marker of a finished task id; `finished` marks the whole job
work/<id>/usage.run.1          the process of the id and what it uses; `usage_history.run.1` shows its use over time
work/<id>/submit_log.run       a line for each submission of the task, and one without ids where a manager counts anew
work/<id>.cleared.0001         a job folder that was moved aside
"""

import ast
import contextlib
import itertools
import os
import re
from collections import namedtuple  # of typing it would cost a worker as much as the rest of this module

from .. import global_constants as gc
from .. import global_settings as gs
from .usage_file import end_leftovers

LOG, ERROR, FINISHED = gc.JOB_LOG, "error", gc.JOB_FINISHED_MARKER
USAGE, USAGE_HISTORY, SUBMIT_LOG = gc.PLOGGING_FILE, gc.USAGE_HISTORY, gc.ENGINE_SUBMIT
"""Kinds of files that belong to a task."""

_CLEARED = ".cleared."
_OF_TASK = rf"({LOG}|{USAGE}|{FINISHED}|{ERROR})\.(\w+)\.(\d+)"
_LOG = rf"{LOG}\.(\w+)\.(\d+)(?:\.{ERROR}\.\d+)?"

TaskFile = namedtuple("TaskFile", "kind task task_id")
"""What the name of a file says: its kind, the name of the task, the number of the id."""


def task_file(name):
    """The `TaskFile` for the name of a log, marker or usage file of a task id. None for all other names."""
    match = re.fullmatch(_OF_TASK, name)
    return match and TaskFile(match[1], match[2], int(match[3]))


def log_file(name):
    """The `TaskFile` for the name of a log, including logs of earlier tries. None for all other names."""
    match = re.fullmatch(_LOG, name)
    return match and TaskFile(LOG, match[1], int(match[2]))


def ids_with(names, *kinds):
    """``(task, id)`` of the ids with a file of one of the ``kinds``, in order. ``names``: those in the job folder."""
    files = filter(None, map(task_file, names))
    return sorted({(file.task, file.task_id) for file in files if file.kind in kinds})


def open_ids(names):
    """``(task, id)`` of the ids with a log but without a finished marker, in order."""
    finished = set(ids_with(names, FINISHED))
    return [one for one in ids_with(names, LOG) if one not in finished]


def name_of(kind, task, task_id):
    """``<kind>.<task>.<id>``, a name in the job folder."""
    return f"{kind}.{task}.{task_id}"


def file_of(folder, kind, task, task_id, number=0):
    """``<folder>/<kind>.<task>.<id>``. If several processes run the id together, ``number`` (from 0) says which one."""
    return f"{folder}/{kind}.{task}.{task_id}" + (f".{number}" if number else "")


def is_usage(name):
    """Whether it is the name of a usage file, including those of further processes of an id."""
    return name.startswith(f"{USAGE}.")


def is_submit_log(name):
    return name.startswith(f"{SUBMIT_LOG}.")


def submit_log_name(task):
    """``submit_log.<task>``, a name in the job folder."""
    return f"{SUBMIT_LOG}.{task}"


def submit_log(folder, task):
    return f"{folder}/{submit_log_name(task)}"


def was_submitted(folder):
    """Whether the job folder has a submit log."""
    return any(map(is_submit_log, os.listdir(folder)))


BESIDE_REQUEST = ("engine_info", "engine_name", "completed_fraction", "ended", "raised_from", "round")
"""What an entry of a submit log has beside the requirements of the submission. ``raised_from``: the figures of the
recipe that were not enough, by which one sees later whether the recipe has changed."""


def read_submissions(filename):
    """The entries ``(ids, rqmt)`` of a submit log; empty without a file. Skips half lines, left by a full disk."""
    try:
        with open(filename, encoding="utf-8") as f:
            return parse_submissions(f.read())
    except FileNotFoundError:
        return []


def parse_submissions(text):
    """`read_submissions` of a text."""
    submissions = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError, SyntaxError):
            submissions.append(ast.literal_eval(line))
    return submissions


# tries -------------------------------------------------------------------------------------------------------------
def earlier_logs(log):
    """The logs of failed tries of a task id, in order."""
    names = (f"{log}.{ERROR}.{number:02d}" for number in itertools.count(1))
    return list(itertools.takewhile(os.path.exists, names))


def put_aside(log):
    """Rename the log of a failed try to ``<log>.error.NN``, the next free number."""
    os.replace(log, f"{log}.{ERROR}.{len(earlier_logs(log)) + 1:02d}")


# the folder as a whole ---------------------------------------------------------------------------------------------
def has_finished_marker(path):
    """Whether the job folder ``path`` (relative to the setup folder or absolute) is marked finished."""
    path = os.path.join(gs.BASE_DIR, path)
    return os.path.exists(f"{path}/{gc.JOB_FINISHED_MARKER}") or os.path.exists(f"{path}/{gc.JOB_FINISHED_ARCHIVE}")


def is_finished(names):
    """Whether a job folder with these ``names`` in it is marked finished."""
    return gc.JOB_FINISHED_MARKER in names or gc.JOB_FINISHED_ARCHIVE in names


def has_finished_id(names):
    """Whether a task id is marked finished in a job folder with these ``names`` in it."""
    return any(name.startswith(f"{FINISHED}.") and name != gc.JOB_FINISHED_ARCHIVE for name in names)


def is_cleared(folder):
    """Whether the folder was moved aside."""
    return _CLEARED in os.path.basename(folder)


def move_aside(path, reset=lambda: None):
    """Rename the folder ``path`` to the first free ``path.cleared.NNNN``.

    Commands that still work in it, whose worker was killed, are ended: they would write into the next folder.
    """
    end_leftovers(path, [f"{path}/{name}" for name in filter(is_usage, os.listdir(path))])
    number = 1
    while os.path.lexists(f"{path}{_CLEARED}{number:04d}"):
        number += 1
    target = f"{path}{_CLEARED}{number:04d}"
    os.rename(path, target)
    reset()
    return target
