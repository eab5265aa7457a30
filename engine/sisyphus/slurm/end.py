"""How a Slurm job ended: finds the cause in its log, and writes it where a person looks for it."""

import contextlib
import dataclasses
import logging
import os
import signal
import time

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout
from ..base.exit_status import STOPPED_FROM_OUTSIDE
from ..base.words import tail
from . import commands

_NO_LAUNCH = -53  # Slurm's number for a script that it could not start, mostly the node's fault
_written = {}


class Accounts:
    """What sacct says of array jobs that squeue no longer shows. Parts of it may arrive later."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._known = {}  # job -> when it was asked for, and {index: Record}
        self._works = True
        self._silent = -1e9  # when there was no answer

    def get(self, job, index):
        """`Record` of a task that has ended, else None."""
        asked, found = self._known.get(job, (-1e9, {}))
        old = time.monotonic() - gs.WAIT_PERIOD_QSTAT_PARSING
        if index not in found and self._works and asked < old and self._silent < old:
            found = self._ask(job)
        return found.get(index)

    def _ask(self, job):
        found = {}
        try:
            found = commands.parse_accounting(commands.run(commands.sacct_call(job), commands.ANSWER, self._gateway))
        except commands.NoAnswer as e:
            self._silent = time.monotonic()
            logging.warning("sacct: %s", e)
        except commands.CommandFailed as e:
            self._works = False
            logging.info("sacct: %s; how jobs ended is taken from squeue as long as it shows them", e)
        self._known[job] = time.monotonic(), found
        return found


def record_end(task, task_id, record, name):
    """Returns ``record`` with the cause that Slurm's lines in the log show, and notes there that the result is missing.

    A worker that crashed, or could not be started at all, becomes an error of its task.
    """
    if record not in _written:
        _written[record] = _with_cause(task, task_id, record, name)
    return _written[record]


def _with_cause(task, task_id, record, name):
    log = task.path(layout.LOG, task_id)
    own = os.path.join(task.job._sis_path(gc.JOB_LOG_ENGINE, abspath=True), f"{name}.{record.job}.{record.index}")
    last = tail(own, 50) + tail(own + ".batch", 50)
    own = next((own + part for part in ("", ".0", ".batch") if os.path.exists(own + part)), own)  # see `sbatch_call`
    if record.state in ("FAILED", "CANCELLED") and any(map(commands.MEMORY_KILL.search, last)):
        record = dataclasses.replace(record, state="OUT_OF_MEMORY")
    marked = any(os.path.exists(task.path(kind, task_id)) for kind in (layout.FINISHED, layout.ERROR))
    if marked or _is_tried_again(log, own):
        return record
    crashed = record.state == "FAILED" and _exit_status(record.status) not in {*STOPPED_FROM_OUTSIDE, _NO_LAUNCH}
    if crashed and not os.path.exists(log):  # not even the worker has started
        with contextlib.suppress(OSError):
            os.link(own, log)
    with contextlib.suppress(OSError):
        _say(log, own, record)
    if crashed:
        with contextlib.suppress(OSError):
            open(task.path(layout.ERROR, task_id), "x").close()
    return record


def _is_tried_again(log, own):
    """Whether the log of this end was put aside, because the task is to run once more after its error."""
    return any(os.path.samefile(earlier, own) for earlier in layout.earlier_logs(log)) if os.path.exists(own) else False


def _say(log, own, record):
    """Writes the note once, even if another manager saw this end too."""
    if not os.path.samefile(log, own):
        return  # it belongs to another worker
    text = f"ERROR: the worker ended without a result ({record}, {_status_as_text(record.status)})"
    if not any(text in line for line in tail(log, 20)):
        with open(log, "a", encoding="utf-8") as f:
            f.write(f"[{time.strftime('%F %T')}] {text}\n")


def _exit_status(status):
    """Of a raw wait status: as `subprocess` has it, negative for a signal."""
    return -(status & 127) if status & 127 else status >> 8


def _status_as_text(status):
    code = _exit_status(status)
    if code >= 0:
        return f"exit status {code}"
    names = {s.value: s.name for s in signal.Signals}
    return f"signal {names.get(-code, -code)}"  # Slurm invents numbers, such as 125 for too little memory
