"""Running tasks that have written nothing to their logs for ``SILENT_HOURS``: they may hang."""

import contextlib
import os
import time

from . import global_constants as gc
from . import global_settings as gs
from .failures import failure_of


class SilenceWatch:
    """Tells every silence once; a task that goes on and falls silent again is told again."""

    def __init__(self):
        self._told = set()

    def new(self, jobs):
        """A `Failure` for every silent task of the running ``jobs``; nothing is stopped."""
        for job in jobs:
            task = job._sis_next_task()
            for i in task.task_ids() if task else ():
                log = task.path(gc.JOB_LOG, i)
                with contextlib.suppress(FileNotFoundError):
                    written = os.path.getmtime(log)
                    hours = (time.time() - written) / 3600
                    if hours > gs.SILENT_HOURS and (log, written) not in self._told and not task.finished(i):
                        self._told.add((log, written))
                        why = f"task {task.name()} {i} runs, but has written nothing to its log for {hours:.1f} hours"
                        yield failure_of(job, gc.STATE_RUNNING, known=(why, log))
