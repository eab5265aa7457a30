"""A task id as a process of this machine: how it is started, watched and ended, and what is noted of its end."""

import contextlib
import io
import itertools
import os
import select
import signal
import subprocess
import time

from .. import global_settings as gs
from . import layout, processes
from .exit_status import EXIT_FAILED, EXIT_INTERRUPTED, STOPPED_FROM_OUTSIDE
from .log_claim import end_copies, is_claimed
from .usage_file import end_leftovers

UNKNOWN = "unknown"
"""The exit status of a process that is not our child."""


class TaskProcess:
    """One task id in the queue or running. ``jobdir``: absolute folder of its job. ``popen``: its process, with
    ``poll`` and ``wait``; ``watcher``: the thread that waits for its end. Both are None in the queue."""

    _count = itertools.count()

    def __init__(self, call, rqmt, jobdir, name, task_name, task_id):
        self.call = call
        self.rqmt = rqmt
        self.key = (name, task_id)
        self.order = rqmt.get("time", 0), next(self._count)
        self.task_name = task_name
        self.jobdir = jobdir
        self.gpus = []
        self.popen = None
        self.watcher = None
        self._early_output = io.BytesIO()

    def __str__(self):
        return "{} {}".format(*self.key)

    def file(self, kind):
        return layout.file_of(self.jobdir, kind, self.task_name, self.key[1])

    def is_watched(self):
        return self.watcher is not None and self.watcher.is_alive()

    def start(self):
        """Start the worker. Where that fails, `record_end` writes why into the log of the task."""
        from tempfile import TemporaryFile  # workers load this module and do not need it

        try:
            self.end_leftovers()
            self._early_output = TemporaryFile()  # noqa: SIM115  the process writes into it
            self.popen = subprocess.Popen(
                self.call,
                cwd=gs.BASE_DIR,
                env={**os.environ, "CUDA_VISIBLE_DEVICES": ",".join(self.gpus)},
                stdin=subprocess.DEVNULL,
                stdout=self._early_output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the manager does not reach it
            )
        except Exception as e:  # of the operating system, or a wrapper of the settings gives what is no list of texts
            self._early_output = io.BytesIO(f"cannot start {self.call}: {e}\n".encode("utf-8", "backslashreplace"))
            self.popen = _NotStarted()

    def end_leftovers(self):
        """Ends what a killed worker left behind: commands that would write beside its successor, and its copies."""
        end_leftovers(self.jobdir, [self.file(layout.USAGE)])
        if is_claimed(self.file(layout.LOG)):
            end_copies(self.file(layout.LOG))

    def record_end(self, status):
        """Note in the log how a worker without a marker ended. A crash becomes an error; a killed task may be resumed.

        A worker that ends well without a result is an error too, unless a wrapper has left it running.
        """
        log = self.file(layout.LOG)
        if status == UNKNOWN or self._is_marked() or (status == 0 and is_claimed(log)):
            return
        with contextlib.suppress(OSError), open(log, "ab") as file:
            self._early_output.seek(0)
            file.write(self._early_output.read())
            if status != EXIT_INTERRUPTED:  # else the worker has said why
                how = f"the worker process ended by {_as_text(status)} without a result"
                file.write(f"[{time.strftime('%F %T')}] ERROR: {how}\n".encode())
        if status not in STOPPED_FROM_OUTSIDE:
            with contextlib.suppress(FileExistsError, FileNotFoundError):  # its folder was moved aside
                open(self.file(layout.ERROR), "x").close()

    def left_no_trace(self):
        """Whether neither a log nor a marker shows that the task was tried, although its folder is there."""
        return os.path.isdir(self.jobdir) and not os.path.exists(self.file(layout.LOG)) and not self._is_marked()

    def _is_marked(self):
        marked = any(os.path.exists(self.file(kind)) for kind in (layout.FINISHED, layout.ERROR))
        return marked or layout.has_finished_marker(self.jobdir)  # then the markers may be packed


def _as_text(status):
    if status >= 0:
        return f"exit status {status}"
    names = {s.value: s.name for s in signal.Signals}
    return f"signal {names.get(-status, -status)}"


class Stranger:
    """The worker of an earlier manager, with the methods of `subprocess.Popen` that are needed."""

    def __init__(self, usage):
        self._pid, self._started = usage["pid"], usage["start_time"]

    def poll(self):
        return None if processes.is_running(self._pid, self._started) else UNKNOWN

    def wait(self):
        while True:
            try:
                if self.poll() is not None:
                    return UNKNOWN
                self._wait_for_handle()
            except (OSError, AttributeError):  # no file can be opened, or the system has no such handles
                time.sleep(1)

    def _wait_for_handle(self):
        handle = os.pidfd_open(self._pid)
        try:
            if self.poll() is None:  # else the handle is of a later process with the same id
                poller = select.poll()
                poller.register(handle, select.POLLIN)
                poller.poll()
        finally:
            os.close(handle)


class _NotStarted:
    """Instead of a worker that could not be started: it has ended, with an error."""

    def poll(self):
        return EXIT_FAILED

    wait = poll
