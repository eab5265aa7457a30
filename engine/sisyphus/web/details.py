"""The page of one job: everything a person asks of it."""

import os

from .. import global_settings as gs
from ..base.layout import LOG, log_file, name_of
from ..base.words import inside_setup, value_as_text
from ..reading import usage
from ..reading.failure import failure
from ..reading.folder import JobFolder, first_bytes, is_text, outputs
from ..run.graph_states import FAILED
from .chart import chart
from .overview import progress

TAIL_LINES = 60
LISTED = 200  # jobs, logs or files of one list
TEXT = 3000  # letters of a parameter
INLINE = 120  # bytes of an output that is shown at once


def details(snapshot, job, log=None):
    """Everything the template shows; ``log``: name of the log to show, else the one that matters most."""
    folder, state = JobFolder(job._sis_path(abspath=True)), snapshot.states[job]
    running = snapshot.group(job) in ("running", "queued")
    tasks = usage.tasks(job, folder, running)
    logs = {n: e for n, e in sorted(folder.entries.items()) if log_file(n) or n.startswith("engine/")}
    refused = snapshot.refused.get(job)
    why, why_log = failure(job, state, refused=refused, folder=folder) if state in FAILED else (None, None)
    log = log if log in logs else why_log or _telling(logs, tasks)
    return {
        "job": job,
        "state": state,
        "why": why,
        "progress": progress(job) if snapshot.group(job) == "running" else None,
        "folder": job._sis_path(),
        "exists": os.path.isdir(folder.path),
        "made_in": job._sis_made_in(),
        "stacks": [[f"{inside_setup(f.filename)}:{f.lineno} {f.name}" for f in s] for s in job._sis_stacktrace],
        "parameters": [(name, _shortened(value_as_text(value))) for name, value in sorted(job._sis_kwargs.items())],
        "creators": job._sis_creators(),
        "files": _plain_inputs(job),
        "users": sorted(snapshot.users().get(job._sis_id(), ())),
        "tasks": tasks,
        "outputs": _outputs(job),
        "logs": logs,
        "log": log,
        "tail": _tail(folder, log),
        "chart": _chart(folder, tasks, log),
        "listed": LISTED,
    }


def _telling(logs, tasks):
    """The log of the first id that runs, else the newest."""
    running = (name_of(LOG, task.name, i.number) for task in tasks for i in task.ids if i.state == "running")
    newest = max(logs, key=lambda name: logs[name].modified, default=None)
    return next((name for name in running if name in logs), newest)


def _tail(folder, log):
    try:
        return folder.tail(log, TAIL_LINES) if log else []
    except OSError:  # it has just been packed
        return []


def _chart(folder, tasks, log):
    file = log_file(log or "")
    if not file:
        return None
    ids = (i for task in tasks if task.name == file.task for i in task.ids if i.number == file.task_id)
    requested = next((i.usage.get("requested_resources", {}) for i in ids), {})
    return chart(usage.history(folder, file.task, file.task_id), requested)


def _shortened(text):
    return text if len(text) <= TEXT else text[:TEXT] + f" … and {len(text) - TEXT} more letters"


def _plain_inputs(job):
    """``(file name, whether it exists)`` of the inputs that no job makes."""
    names = sorted(path.get_path() for path in job._sis_inputs if not hasattr(path.creator, "_sis_id"))
    return [(os.path.relpath(n, gs.BASE_DIR) if n.startswith(gs.BASE_DIR) else n, os.path.exists(n)) for n in names]


def _outputs(job):
    """``(name, size in bytes or None, note, the value if it is short)``; the note of a text is ``text``."""
    rows = []
    for name, (full, size, note) in list(outputs(job).items())[:LISTED]:
        head = first_bytes(full) if size is not None else b""
        if size is not None:
            note = "text" if is_text(head) else "binary"
        value = head.decode("utf-8", "replace").strip() if note == "text" and size <= INLINE else ""
        rows.append((name, size, note, value))
    return rows
