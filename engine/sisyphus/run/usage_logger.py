"""Records what a task uses (``usage.<task>.<id>``) while it runs, and which process it is."""

import contextlib
import getpass
import logging
import os
import threading
import time

from .. import global_settings as gs
from ..base import processes
from ..base.layout import BESIDE_REQUEST, USAGE, USAGE_HISTORY, file_of, read_submissions, submit_log
from ..base.measuring import used_by_this_process
from ..base.usage_history import UsageHistory
from ..base.writing import write_atomically


class UsageLogger(threading.Thread):
    """Measures this process and its children every ``PLOGGING_INTERVAL`` seconds.

    The file is written at start, every ``PLOGGING_UPDATE_FILE_PERIOD`` seconds, when memory grows by
    ``PLOGGING_MIN_CHANGE``, and at the end.
    """

    def __init__(self, jobdir, task_name, task_id, engine, number=0):
        super().__init__(name="usage", daemon=True)
        self._filename = file_of(jobdir, USAGE, task_name, task_id, number)
        self._history = UsageHistory(file_of(jobdir, USAGE_HISTORY, task_name, task_id, number))
        self._engine = engine
        self._rqmt = _requested(submit_log(jobdir, task_name), task_id)
        self._begin = time.monotonic()
        self._stopped = threading.Event()
        self._written = -1e9
        self._written_rss = 0.0
        self._max = {"cpu": 0.0, "rss": 0.0, "vms": 0.0}
        self._current = dict(self._max)
        self._start_time = processes.start_time(os.getpid())
        self.out_of_memory = False
        self._write()

    def run(self):
        while not self._stopped.wait(gs.PLOGGING_INTERVAL):
            self._measure()
            grown = self._max["rss"] > self._written_rss * (1 + gs.PLOGGING_MIN_CHANGE)
            if grown or time.monotonic() - self._written > gs.PLOGGING_UPDATE_FILE_PERIOD:
                self._write_if_possible()
                if not gs.PLOGGING_QUIET and grown:
                    logging.info("Run time: %s %s", self._run_time(), _as_text(self._current))

    def stop(self):
        """Last measurement and write; logs the maximum."""
        self._stopped.set()
        if self.ident:
            self.join()
        self._measure()
        self._write_if_possible()
        if not gs.PLOGGING_QUIET:
            logging.info("Max resources: Run time: %s %s", self._run_time(), _as_text(self._max))

    def _measure(self):
        self._current = self._used()
        for key, value in self._current.items():
            self._max[key] = max(self._max.get(key, 0.0), value)

    def _used(self):
        if time.monotonic() - self._begin < gs.PLOGGING_INTERVAL:  # a short task, loading psutil would double its time
            with contextlib.suppress(OSError):
                return used_by_this_process()
        import psutil

        try:
            used = self._engine.get_job_used_resources(psutil.Process())
            self._history.add(psutil.Process(), used["rss"])
            return used
        except psutil.Error as e:
            logging.debug("cannot measure this process: %s", e)
            return self._current

    def _run_time(self):
        seconds = int(time.monotonic() - self._begin)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def _write_if_possible(self):
        """Where the disk is full for a while, the task is not to fail because of this file."""
        try:
            self._write()
        except OSError as e:
            logging.warning("what the task uses cannot be written: %s", e)

    def _write(self):
        self._written = time.monotonic()
        content = {
            "current": self._current,
            "current_time": time.ctime(),
            "host": processes.hostname(),
            "max": self._max,
            "out_of_memory": self.out_of_memory,
            "pid": os.getpid(),
            "requested_resources": self._rqmt,
            "start_time": self._start_time,
            "used_time": (time.monotonic() - self._begin) / 3600,
            "user": (_user(),),
        }
        lines = ",\n ".join(f"{key!r}: {value!r}" for key, value in content.items())
        write_atomically(self._filename, f"{{{lines}}}\n")
        if time.monotonic() - self._begin > gs.PLOGGING_UPDATE_FILE_PERIOD:  # shorter tasks need no second file
            self._history.write()
        self._written_rss = self._max["rss"]


def _user():
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container for an id without a name
        return str(os.getuid())


def _requested(filename, task_id):
    """Requirements of the newest submission of this id."""
    for ids, rqmt in reversed(read_submissions(filename)):
        if task_id in ids:
            return {k: v for k, v in rqmt.items() if k not in BESIDE_REQUEST}
    return {}


def _as_text(use):
    return f"CPU: {use['cpu']:.1f}% RSS: {use['rss'] * 1024:.0f}MB VMS: {use['vms'] * 1024:.0f}MB"
