"""`Task`: one step of a job, run by one worker process for each of its task ids (1..n)."""

import logging
import os
import subprocess
import time
import traceback

from . import global_constants as gc
from . import global_settings as gs
from .base import layout
from .base.log_claim import is_claimed
from .base.usage_file import read_usage, recently_active, runs_here
from .base.words import tail
from .base.writing import write_atomically
from .jobs import retry
from .tools import execute_in_dir, str_to_GB, str_to_hours

# The state of a task is the first of these that any of its ids has.
_STATE_ORDER = (
    gc.STATE_ERROR,
    gc.STATE_QUEUE_ERROR,
    gc.STATE_INTERRUPTED_RESUMABLE,
    gc.STATE_INTERRUPTED_NOT_RESUMABLE,
    gc.STATE_RUNNABLE,
    gc.STATE_QUEUE,
    gc.STATE_RUNNING,
    gc.STATE_RETRY_ERROR,
    gc.STATE_FINISHED,
)


_NODE_LOST = "NODE_FAIL"  # the scheduler has lost sight of the node, the task may run on
NOT_STARTED = "NOT_STARTED"  # it waited in the queue of a manager that ended
_NOT_ITS_FAULT = (_NODE_LOST, "BOOT_FAIL", "PREEMPTED", NOT_STARTED)
_FAILED = "FAILED"  # the worker ended by an error of the task


class TaskInterrupted(Exception):
    """The task was stopped from outside (memory, a signal): it gets no marker and may be resumed."""


class Task:
    """Run the method ``start`` of the job.

    ``resume``: name of a method; if given, an interrupted task may be started again (always with ``start``).
    ``rqmt``: ``{"cpu": n, "gpu": n, "mem": GB or "512M", "time": hours or "H:M:S", ...}``.
    ``args``: list of argument sets; ``parallel``: number of task ids that share them (0: one id for each set).
    ``tries``: how often a failing task id is run. ``continuable``: it is never marked finished.
    """

    def __init__(
        self,
        start,
        resume=None,
        rqmt=None,
        args=None,
        mini_task=False,
        update_rqmt=None,
        parallel=0,
        tries=1,
        continuable=False,
    ):
        self._start = start
        self._resume = resume
        self._rqmt = dict(rqmt or {})
        if mini_task:
            self._rqmt["engine"] = "short"
        self._args = [[]] if args is None else list(args)
        self._update_rqmt = update_rqmt
        self._parallel = parallel
        self.mini_task = mini_task
        self.tries = tries
        self.continuable = continuable
        self.reset()

    def __repr__(self):
        return f"<Task {self._start} of {getattr(self, '_job', None)}>"

    def reset(self):
        self._finished = set()

    def set_job(self, job):
        self._job = job
        for method in (self._start, self._resume):
            if method is not None:
                assert callable(getattr(job, method, None)), f"{job._sis_id()} has no method {method!r} for its task"

    @property
    def job(self):
        return self._job

    def name(self):
        return self._start

    def task_name(self):
        return f"{self._job._sis_id()}.{self._start}"

    def resumeable(self):
        return self._resume is not None

    # ids and arguments -------------------------------------------------------------------------------------------
    def task_ids(self):
        return list(range(1, (self._parallel or len(self._args)) + 1))

    def _argument_sets(self, task_id):
        """Yields ``(number, arguments)`` for the argument sets of one id. The first ids take what does not divide."""
        q, r = divmod(len(self._args), len(self.task_ids()))
        first = (task_id - 1) * q + min(task_id - 1, r)
        for number in range(first, first + q + (task_id <= r)):
            args = self._args[number]
            yield number, list(args) if isinstance(args, (list, tuple)) else [args]

    def rqmt(self):
        """Requirements with the job's overrides; ``mem`` in GB, ``time`` in hours."""
        rqmt = dict(self._rqmt)
        override = self._job._sis_task_rqmt_overwrite.get(self._start)
        if override is not None:
            values, merge = override
            rqmt = {**rqmt, **values} if merge else dict(values)
        return normalised(rqmt)

    # files -------------------------------------------------------------------------------------------------------
    def path(self, kind, task_id):
        """Absolute name of ``<kind>.<task>.<id>`` in the job's folder."""
        return layout.file_of(self._job._sis_path(abspath=True), kind, self._start, task_id)

    def log_tail(self, task_id, lines):
        return tail(self.path(layout.LOG, task_id), lines)

    def usage(self, task_id):
        """Content of the usage file, ``{}`` if there is none."""
        return read_usage(self.path(layout.USAGE, task_id))

    def submissions(self):
        """All lines ``(ids, rqmt)`` of the submit log."""
        return layout.read_submissions(self._submit_log())

    def log_submission(self, ids, rqmt, engine_name, engine_info):
        entry = dict(rqmt, engine_info=engine_info, engine_name=engine_name)
        entry["completed_fraction"] = self.completed_fraction() if os.path.exists(self._log(ids[0])) else None
        self._write_submission(list(ids), entry)

    def begin_round(self):
        """From now on `submission_count` counts anew; requirements that have been raised stay so."""
        self._write_submission([], {"round": "begins"})

    def _write_submission(self, ids, entry):
        with open(self._submit_log(), "a+b") as f:
            f.seek(max(f.seek(0, os.SEEK_END) - 1, 0))
            half = f.read(1) not in (b"", b"\n")  # the disk was full when the last line was written
            f.write(f"{chr(10) * half}{(ids, entry)}\n".encode())

    def completed_fraction(self):
        """What the job says; None if it cannot, as of a file that is not there yet."""
        try:
            return self._job.completed_fraction()
        except Exception as e:  # of the recipe
            logging.warning("completed_fraction() of %s failed: %s", self._job, e)
            return None

    def was_started(self, task_id):
        log = self._log(task_id)
        return os.path.exists(log) or bool(layout.earlier_logs(log))

    def _submit_log(self):
        return layout.submit_log(self._job._sis_path(abspath=True), self._start)

    def _log(self, task_id):
        return self.path(layout.LOG, task_id)

    # state -------------------------------------------------------------------------------------------------------
    def finished(self, task_id=None):
        ids = self.task_ids() if task_id is None else [task_id]
        for i in ids:
            if i not in self._finished:
                if not os.path.exists(self.path(layout.FINISHED, i)):
                    return False
                self._finished.add(i)
        return True

    def error(self, task_id):
        """Whether this id failed for good. If a try is left, the id is made runnable again instead."""
        error_file = self.path(layout.ERROR, task_id)
        if not os.path.exists(error_file):
            return False
        log = self._log(task_id)
        used = len(layout.earlier_logs(log)) + 1
        if used < self.tries:
            logging.info("try %i of %i of %s %s", used + 1, self.tries, self.task_name(), task_id)
        elif not retry.is_wanted(self, task_id, log, error_file):
            return True
        if not os.path.exists(log):
            open(log, "x").close()  # it counts the try
        layout.put_aside(log)
        os.unlink(error_file)
        return False

    def state(self, engine=None, task_id=None):
        """State of one id, or of the whole task."""
        if task_id is not None:
            return self._id_state(engine, task_id)
        states = {self._id_state(engine, i) for i in self.task_ids()}
        return next((s for s in _STATE_ORDER if s in states), gc.STATE_UNKNOWN)

    def _id_state(self, engine, i):
        known = gc.STATE_UNKNOWN if engine is None else engine.certain_state(self, i)
        if known != gc.STATE_UNKNOWN:
            return known
        marked = self._marked_state(i)
        if marked:
            return marked
        known = gc.STATE_UNKNOWN if engine is None else engine.task_state(self, i)
        if known != gc.STATE_UNKNOWN:
            return known
        ended = None if engine is None else engine.ended(self, i)
        if ended in (None, _FAILED) and not os.path.exists(self._log(i)):
            return gc.STATE_RUNNABLE  # its error, if any, was put aside for another try
        return self._marked_state(i) or self._started_state(i, ended)

    def _marked_state(self, i):
        if self.finished(i):
            return gc.STATE_FINISHED
        return gc.STATE_ERROR if self.error(i) else None

    def _started_state(self, i, ended):
        """State of an id without a marker, if it has a log or the engine knows that it ended."""
        if ended in (None, _NODE_LOST) and self._is_running(i):
            return gc.STATE_RUNNING
        if self.submission_count(i, ended) > gs.MAX_SUBMIT_RETRIES:
            return gc.STATE_RETRY_ERROR
        if not os.path.exists(self._log(i)):
            return gc.STATE_RUNNABLE  # it ended in the queue
        return gc.STATE_INTERRUPTED_RESUMABLE if self._resume else gc.STATE_INTERRUPTED_NOT_RESUMABLE

    def _is_running(self, i):
        usage_file = self.path(layout.USAGE, i)
        usage = self.usage(i)
        here = runs_here(usage)
        if here or is_claimed(self._log(i)):
            return True
        return here is None and recently_active(usage, usage_file, self._log(i))

    def submission_count(self, task_id, ended=None):
        """The number of submissions of this id in this round, and since its ``completed_fraction`` last grew.

        Submissions that the cluster ended for its own reasons do not count. ``ended``: how the last one ended.
        """
        submissions = self.submissions()
        begin = max((number for number, (ids, _) in enumerate(submissions, 1) if not ids), default=0)
        entries = [rqmt for ids, rqmt in submissions[begin:] if task_id in ids]
        latest = entries[-1].get("completed_fraction") if entries else None
        if latest is not None:
            entries = [e for e in entries if (e.get("completed_fraction") or 0) >= latest]
        causes = [e["ended"].get(task_id) for e in entries[1:] if "ended" in e]  # each of the one before
        return len(entries) - sum(cause in _NOT_ITS_FAULT for cause in (*causes, ended))

    # run ---------------------------------------------------------------------------------------------------------
    def run(self, task_id):
        """Call the job's method for every argument set of ``task_id`` in the work folder; write the marker.

        Returns True if it succeeded. Raises `TaskInterrupted` where the task must stay unmarked.
        """
        try:
            with execute_in_dir(self._job._sis_path(gc.JOB_WORK_DIR, abspath=True)):
                for number, args in self._argument_sets(task_id):
                    logging.info("-" * 60)
                    logging.info("Starting subtask for arg id: %i args: %s", number, args)
                    logging.info("-" * 60)
                    getattr(self._job, self._start)(*args)
        except subprocess.CalledProcessError as e:
            if e.returncode in (137, -9):
                logging.error("Command was killed, probably for lack of memory: %s", e.cmd)
                raise TaskInterrupted("out of memory") from e
            if e.returncode in (143, -15):
                time.sleep(1)  # a signal to all processes of the task soon ends this one too, and is no error
            logging.error("Executed command failed:")
            logging.error("Cmd: %s", e.cmd)
            logging.error("Return-Code: %s", e.returncode)
            logging.error("Job failed, traceback:\n%s", traceback.format_exc().rstrip())
            self.mark_error(task_id)
            self.exception = e
            return False
        except Exception as e:
            logging.error("Job failed, traceback:\n%s", traceback.format_exc().rstrip())
            self.mark_error(task_id)
            self.exception = e
            return False
        return self._mark_finished(task_id)

    def mark_error(self, task_id):
        write_atomically(self.path(layout.ERROR, task_id), "")

    def _mark_finished(self, task_id):
        """Mark the id finished. If it is the last one of the job, the declared outputs must exist."""
        if self.continuable:
            return True
        marker = self.path(layout.FINISHED, task_id)
        write_atomically(marker, "")
        missing = []
        if all(task.finished() for task in self._job._sis_tasks()):
            missing = self._job._sis_missing_outputs()
        if missing:
            names = ", ".join(map(self._job._sis_output_name, missing))
            logging.error(
                "All tasks ended but did not write the declared output: %s (expected %s)", names, missing[0].get_path()
            )
            self.exception = FileNotFoundError(f"{self._job._sis_id()} did not write its output {names}")
            self.mark_error(task_id)
            os.unlink(marker)
            self.reset()
            return False
        logging.info("Job finished successfully")
        return True


def normalised(rqmt):
    """``mem`` as float GB, ``time`` as float hours."""
    rqmt = dict(rqmt)
    for name, convert, kind in (
        ("mem", str_to_GB, "GB or a text like '512M'"),
        ("time", str_to_hours, "hours or 'H:M:S'"),
    ):
        if name in rqmt:
            try:
                rqmt[name] = convert(rqmt[name])
            except (ValueError, AttributeError):
                raise ValueError(f"the rqmt {name}={rqmt[name]!r} is not a number of {kind}") from None
    return rqmt
