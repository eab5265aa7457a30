"""Keeps the state of every job of the graph up to date, looking only at jobs whose state can have changed."""

import functools
import math
import os
import time
import traceback

from . import global_constants as gc
from . import global_settings as gs
from .engine import ImpossibleRequest
from .job import Job
from .job_states import one_evaluation

ACTIVE = {
    gc.STATE_RUNNABLE,
    gc.STATE_RUNNING,
    gc.STATE_QUEUE,
    gc.STATE_UNKNOWN,
    gc.STATE_INTERRUPTED_RESUMABLE,
}
FAILED = {gc.STATE_ERROR, gc.STATE_RETRY_ERROR, gc.STATE_INTERRUPTED_NOT_RESUMABLE, gc.STATE_QUEUE_ERROR}
_AT_REST = {gc.STATE_WAITING, gc.STATE_FINISHED}


class _Known:
    """What is known of the graph: job -> state, state -> jobs, job -> the unfinished jobs that read from it."""

    def __init__(self):
        self.states = {}
        self.changed = {}
        self.unfinished = set()  # ids
        self.members = {}
        self.dependants = {}
        self.watched = {}  # waiting jobs that the end of no other job will wake

    def set(self, job, state):
        old = self.states.get(job)
        if old != state:
            if old is not None:
                del self.members[old][job]
            self.states[job] = state
            self.changed[job] = None
            (self.unfinished.discard if state == gc.STATE_FINISHED else self.unfinished.add)(job._sis_id_cache)
            self.members.setdefault(state, {})[job] = None

    def is_certain(self, job):
        """Not of a job that only finished ones need: it is taken as finished without a look."""
        state = self.states.get(job)
        return state is not None and (state != gc.STATE_FINISHED or job._sis_is_finished)

    def wakes(self, job):
        """Whether a waiting job is to be looked at: no input of it can only come with the end of a job."""
        return self.states[job] == gc.STATE_WAITING and not any(map(_comes_with_a_job, job._sis_inputs))


class GraphStates:
    """``states``: job -> state; ``refused``: job -> why it cannot be run at all (counts as an error)."""

    def __init__(self, graph, engine):
        self.graph = graph
        self.engine = engine
        self.refused = {}
        self._unstartable = {}  # job -> until when
        self._known = _Known()
        self._targets = None, 0  # the list of the graph, and how many of it are known

    @property
    def states(self):
        return self._known.states

    def refresh(self, everything=False):
        """Bring `states` up to date. Finished jobs are not looked at again, waiting ones if an input may be there."""
        targets = self.graph.targets
        count = len(targets)
        if everything or self._targets[0] is not targets or count < self._targets[1]:
            known = _Known()  # other threads see the old states until all new ones are there
            with one_evaluation(list_folders=True):
                self._take_in(known, self.graph.target_jobs())
            self._known = known
        else:
            with one_evaluation():
                self._look_at_active(self._known)
                if count > self._targets[1]:
                    self._take_in(self._known, self.graph.target_jobs())
        self._targets = targets, count
        if self.graph.targets is not targets or len(targets) != count:  # an update() has registered targets
            self.refresh()

    def _look_at_active(self, known):
        todo = [*known.watched]
        todo += [job for state, jobs in known.members.items() if state not in _AT_REST for job in jobs]
        grown = {}
        while todo:
            job = todo.pop()
            old = known.states[job]
            if self._look_at(known, job):
                grown[job] = None
            if known.states[job] == gc.STATE_FINISHED != old:
                todo += [d for d in known.dependants.get(job, ()) if known.wakes(d)]
        self._take_in(known, grown, again=grown)

    def _look_at(self, known, job):
        """Returns whether the job's update() asked for more inputs."""
        inputs = len(job._sis_inputs)
        known.set(job, self._state(job))
        (known.watched.__setitem__ if known.wakes(job) else known.watched.pop)(job, None)
        return len(job._sis_inputs) != inputs

    def _take_in(self, known, jobs, again=()):
        """Look at those of ``jobs``, and of the jobs they need, of which nothing is certain, and at ``again``."""
        while jobs:
            settled = functools.partial(lambda again, job: job not in again and known.is_certain(job), again)
            order = self.graph.walk(jobs, skip=lambda job, settled=settled: settled(job) or job._sis_finished())
            order = [job for job in order if not settled(job)]
            jobs = again = {job: None for job in order if self._look_at(known, job)}
            for job in order:
                if known.states[job] != gc.STATE_FINISHED and job not in again:
                    for creator in job._sis_creators():
                        known.dependants.setdefault(creator, []).append(job)
            finished = [c for job in order if known.states[job] == gc.STATE_FINISHED for c in job._sis_creators()]
            for job in self.graph.walk(finished, skip=known.states.__contains__):
                if job not in known.states:
                    known.set(job, gc.STATE_FINISHED)

    def _state(self, job):
        if time.monotonic() < self._unstartable.get(job, 0):
            return gc.STATE_ERROR
        task = job.__dict__.get("_sis_submitted_task")
        try:
            state = (task and self.engine.in_hand(task)) or job._sis_state(self.engine)
        except Exception as e:  # of the recipe's update() or tasks(), or of the file system: the other jobs go on
            self.refused[job] = _in_words(e)
            return gc.STATE_ERROR
        self.refused.pop(job, None)
        return state

    def refuse(self, job, error):
        """Take ``job``, which could not be started, as failed for as long as this manager runs.

        What the operating system says may pass, as a full disk does: it is tried again while other jobs go on.
        """
        passing = isinstance(error, OSError)
        self._unstartable[job] = time.monotonic() + (gs.WAIT_PERIOD_BETWEEN_CHECKS if passing else math.inf)
        self.refused[job] = _in_words(error)
        self._known.set(job, gc.STATE_ERROR)

    def update_one(self, job):
        """Look at one job again, after something was done with it."""
        if self._look_at(self._known, job):
            self._take_in(self._known, [job], again=[job])

    def unfinished_known(self):
        """Context manager: inside, no file is looked at to learn that a job is unfinished."""
        return one_evaluation(self._known.unfinished)

    def changed_jobs(self):
        """Jobs whose state may be another one than at the last call."""
        changed, self._known.changed = self._known.changed, {}
        return changed

    def in_state(self, *states):
        return [job for state in states for job in list(self._known.members.get(state, ()))]

    def missing_inputs(self):
        """``(path, job)`` for files that no job makes and that do not exist."""
        waiting = self.in_state(gc.STATE_WAITING)
        found = ((p, job) for job in waiting for p in sorted(job._sis_inputs) if p.creator is None)
        return [(p, job) for p, job in found if not p.available()]


def _in_words(error):
    """Type and text of an exception, and its line if that is in a recipe or settings file."""
    if isinstance(error, ImpossibleRequest):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    outside = os.path.dirname(frame.filename) != os.path.dirname(__file__)
    where = f", in {frame.name} ({frame.filename}:{frame.lineno})" if outside else ""
    return f"{type(error).__name__}: {error}{where}"


def _comes_with_a_job(path):
    """Whether an input waits for the end of its job, and not for a file or for what a function of the recipe says."""
    creator = path.creator
    if not isinstance(creator, Job) or creator._sis_is_finished:
        return False
    return path._available is None and type(creator).path_available is Job.path_available
