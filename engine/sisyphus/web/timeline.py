"""Collects what ran when for the page ``/timeline``, a bounded number of job folders at a time."""

import time

from ..reading.folder import JobFolder
from ..reading.runs import runs
from .gantt import Worked
from .overview import is_called

FOLDERS = 300  # of finished jobs, and of others, that one request reads
HAVE_RUN = ("running", "failed", "queued", "runnable", "unknown")
"""Groups of unfinished jobs that may have run: an earlier task has, or they were stopped."""


class Timeline:
    """Remembers the runs of finished jobs, whose files do not change any more."""

    def __init__(self):
        self._finished = {}  # job -> its runs

    def worked(self, snapshot, text=""):
        """``(the jobs that ran, how many finished ones later requests add, how many others none looks at)``.

        ``text``: words, see `is_called`.
        """
        words = text.lower().split()
        self._finished = {job: known for job, known in self._finished.items() if snapshot.group(job) == "finished"}
        groups = {group: [] for group in ("finished", *HAVE_RUN)}
        for job in snapshot.states:
            group = snapshot.group(job)
            if group in groups and is_called(job, words):
                groups[group].append(job)
        new = [job for job in groups["finished"] if job not in self._finished]
        for job in new[:FOLDERS]:
            self._finished[job] = _runs(job)
        others = [(job, group) for group in HAVE_RUN for job in groups[group]]
        found = [(job, "finished", self._finished[job]) for job in groups["finished"] if job in self._finished]
        now = time.time()
        found += [(job, group, _runs(job, now if group == "running" else None)) for job, group in others[:FOLDERS]]
        shown = [_named(job, group, ran) for job, group, ran in found if ran]
        return shown, len(new[FOLDERS:]), len(others[FOLDERS:])


def _runs(job, running_until=None):
    return runs(JobFolder(job._sis_path(abspath=True)), running_until)


def _named(job, group, ran):
    return Worked(job._sis_id(), job.get_one_alias() or job.get_vis_name() or job._sis_id(), group, ran)
