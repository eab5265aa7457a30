"""Running tasks that have written nothing to their logs for ``SILENT_HOURS``: they may hang."""

import contextlib
import os
import time

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout
from .failures import failure_of


class SilenceWatch:
    """Reports every silence once, and again if a task continues and falls silent once more."""

    def __init__(self):
        self._told = set()

    def new(self, jobs, engine):
        """Yields a `Failure` for every running task id of ``jobs`` that is silent. Stops nothing."""
        for job in jobs:
            task = job._sis_next_task()
            if task is None or engine.in_hand(task) == gc.STATE_QUEUE:
                continue
            for i in task.task_ids():
                log = task.path(layout.LOG, i)
                with contextlib.suppress(FileNotFoundError):
                    written = os.path.getmtime(log)
                    hours = (time.time() - written) / 3600
                    if hours < gs.SILENT_HOURS or (log, written) in self._told:
                        continue
                    if task.state(engine, i) == gc.STATE_RUNNING:  # and not again in the queue, with an earlier log
                        self._told.add((log, written))
                        why = f"task {task.name()} {i} runs, but has written nothing to its log for {hours:.1f} hours"
                        yield failure_of(job, gc.STATE_RUNNING, known=(why, os.path.basename(log)))
