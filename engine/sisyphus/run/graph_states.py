"""Keeps the state of every job of the graph up to date, looking only at jobs whose state can have changed."""

import math
import time
import traceback

from .. import global_constants as gc
from .. import global_settings as gs
from ..base.words import is_of_the_engine
from ..engine import ImpossibleRequest
from ..job import Job
from ..jobs.evaluation import one_evaluation

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
    """What is known of the graph.

    ``states``: job -> state; ``members``: state -> jobs; ``unfinished``: ids; ``changed``: jobs with a new state since
    somebody asked. ``dependants``: job -> the unfinished jobs that read from it. ``watched``: waiting jobs that the end
    of no other job will wake.
    """

    def __init__(self):
        self.states = {}
        self.changed = {}
        self.unfinished = set()
        self.members = {}
        self.dependants = {}
        self.watched = {}

    def set(self, job, state):
        old = self.states.get(job)
        if old == state:
            return
        if old is not None:
            del self.members[old][job]
        self.states[job] = state
        self.changed[job] = None
        self.members.setdefault(state, {})[job] = None
        if state == gc.STATE_FINISHED:
            self.unfinished.discard(job._sis_id_cache)
        else:
            self.unfinished.add(job._sis_id_cache)

    def is_finished(self, job):
        return self.states[job] == gc.STATE_FINISHED

    def is_certain(self, job):
        """Whether somebody looked at the job. Jobs that only finished jobs need count as finished without a look."""
        state = self.states.get(job)
        return state is not None and (state != gc.STATE_FINISHED or job._sis_is_finished)

    def must_be_watched(self, job):
        """Whether a job waits, and not for the end of another job."""
        return self.states[job] == gc.STATE_WAITING and not any(map(_comes_with_a_job, job._sis_inputs))

    def may_change(self):
        """The jobs whose state may change without the end of another job."""
        active = (job for state, jobs in self.members.items() if state not in _AT_REST for job in jobs)
        return [*self.watched, *active]

    def woken_by(self, job):
        """The jobs that have waited for the end of this one, and for no other job."""
        return [dependant for dependant in self.dependants.get(job, ()) if self.must_be_watched(dependant)]

    def add_to_dependants(self, job):
        for creator in job._sis_creators():
            self.dependants.setdefault(creator, []).append(job)


class GraphStates:
    """``states``: job -> state; ``refused``: job -> why it cannot be run at all (counts as an error).

    The invariant of `refresh`: every job of the graph has a state, and the state is true unless the files of a job have
    changed that was finished or waiting. A waiting job can start when its last input comes. If a job makes that input,
    the waiting job is among the dependants of that job and is looked at when that job ends; if anything else makes it,
    the waiting job is watched, and looked at each time.
    """

    def __init__(self, graph, engine):
        self.graph = graph
        self.engine = engine
        self.refused = {}
        self._unstartable = {}  # job -> until when, and whether it had a folder
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
                self._look_at_and_below(self._known, self._known.may_change())
                if count > self._targets[1]:
                    self._take_in(self._known, self.graph.target_jobs())
        self._targets = targets, count
        if self.graph.targets is not targets or len(targets) != count:  # an update() has registered targets
            self.refresh()

    def _look_at_and_below(self, known, todo):
        """Look at some jobs, and at the dependants of those that have finished meanwhile."""
        grown = {}
        while todo:
            job = todo.pop()
            was_finished = known.is_finished(job)
            if self._look_at(known, job):
                grown[job] = None
            if known.is_finished(job) and not was_finished:
                todo += known.woken_by(job)
        self._take_in(known, grown, again=grown)

    def _look_at(self, known, job):
        """Returns whether the job's update() asked for more inputs."""
        num_inputs = len(job._sis_inputs)
        known.set(job, self._state(job))
        if known.must_be_watched(job):
            known.watched[job] = None
        else:
            known.watched.pop(job, None)
        return len(job._sis_inputs) != num_inputs

    def _take_in(self, known, jobs, again=()):
        """Look at all jobs in ``jobs`` and below whose state is not certain, and at ``again`` in any case.

        A job whose update() asked for more inputs is taken in once more, with the jobs that make them.
        """
        while jobs:
            order = self._uncertain(known, jobs, again)
            grown = {job: None for job in order if self._look_at(known, job)}
            order = [job for job in order if job not in grown]
            for job in order:
                if not known.is_finished(job):
                    known.add_to_dependants(job)
            self._take_for_finished(known, order)
            jobs = again = grown

    def _uncertain(self, known, jobs, again):
        """The jobs to look at, each after the jobs it reads from."""

        def is_settled(job):
            return job not in again and known.is_certain(job)

        def may_be_finished(job):
            try:
                return job._sis_finished()
            except OSError:  # of this job's folder: it fails, and what it needs is not run in vain
                return True

        order = self.graph.walk(jobs, skip=lambda job: is_settled(job) or may_be_finished(job))
        return [job for job in order if not is_settled(job)]

    def _take_for_finished(self, known, looked_at):
        """Jobs that only finished jobs need, or jobs that cannot be looked at, count as finished without a look."""
        others = (job for one in looked_at for job in one._sis_creators() if job not in known.states)
        for job in self.graph.walk(others, skip=known.states.__contains__):
            if job not in known.states:
                known.set(job, gc.STATE_FINISHED)

    def _state(self, job):
        until, had_folder = self._unstartable.get(job, (0, False))
        if had_folder and not job._sis_setup():
            del self._unstartable[job]  # somebody has cleared it
        elif time.monotonic() < until:
            return gc.STATE_ERROR
        task = job.__dict__.get("_sis_submitted_task")
        try:
            state = (task and self.engine.in_hand(task)) or job._sis_state(self.engine)
        except Exception as e:  # of the recipe's update() or tasks(), or of the file system: the other jobs go on
            self.refused[job] = _error_as_text(e)
            return gc.STATE_ERROR
        self.refused.pop(job, None)
        return state

    def refuse(self, job, error):
        """Take ``job``, which could not be started, as failed until its folder is cleared or this manager ends.

        An error of the operating system, such as a full disk, may pass: the job is tried again while other jobs go on.
        """
        passing = isinstance(error, OSError)
        until = time.monotonic() + (gs.WAIT_PERIOD_BETWEEN_CHECKS if passing else math.inf)
        self._unstartable[job] = until, job._sis_setup()
        self.refused[job] = _error_as_text(error)
        self._known.set(job, gc.STATE_ERROR)

    def update_one(self, job):
        """Look at one job again, after something was done with it."""
        self._look_at_and_below(self._known, [job])

    def unfinished_known(self):
        """Context manager: inside, no file is looked at to learn that a job is unfinished."""
        return one_evaluation(self._known.unfinished)

    def changed_jobs(self):
        """Jobs whose state may have changed since the last call."""
        changed, self._known.changed = self._known.changed, {}
        return changed

    def in_state(self, *states):
        return [job for state in states for job in list(self._known.members.get(state, ()))]

    def missing_inputs(self):
        """``(path, job)`` for files that no job makes and that do not exist."""
        waiting = self.in_state(gc.STATE_WAITING)
        found = ((p, job) for job in waiting for p in sorted(job._sis_inputs) if p.creator is None)
        return [(p, job) for p, job in found if not p.available()]


def _error_as_text(error):
    """Type and text of an exception, and its line if that is in a recipe or settings file."""
    if isinstance(error, ImpossibleRequest):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = "" if is_of_the_engine(frame.filename) else f", in {frame.name} ({frame.filename}:{frame.lineno})"
    return f"{type(error).__name__}: {error}{where}"


def _comes_with_a_job(path):
    """Whether an input waits for the end of its job, and not for a file or for what a function of the recipe says."""
    creator = path.creator
    if not isinstance(creator, Job) or creator._sis_is_finished:
        return False
    return path._available is None and type(creator).path_available is Job.path_available
