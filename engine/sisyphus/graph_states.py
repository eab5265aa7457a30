"""Keeps the state of every job of the graph up to date, looking only at jobs whose state can have changed."""

import os
import traceback

from . import global_constants as gc
from .engine import ImpossibleRequest
from .job_states import one_evaluation

ACTIVE = {
    gc.STATE_RUNNABLE,
    gc.STATE_RUNNING,
    gc.STATE_QUEUE,
    gc.STATE_UNKNOWN,
    gc.STATE_INTERRUPTED_RESUMABLE,
}
FAILED = {gc.STATE_ERROR, gc.STATE_RETRY_ERROR, gc.STATE_INTERRUPTED_NOT_RESUMABLE, gc.STATE_QUEUE_ERROR}


class GraphStates:
    """``states``: job -> state; ``refused``: job -> why it cannot be run at all (counts as an error)."""

    def __init__(self, graph, engine):
        self.graph = graph
        self.engine = engine
        self.states = {}
        self.refused = {}
        self._unstartable = set()
        self._dependants = {}
        self._shape = None

    def refresh(self, everything=False):
        """Bring `states` up to date. Finished jobs are not looked at again, waiting ones only when an input is made."""
        with one_evaluation():
            if everything or self._shape != len(self.graph.targets):
                self._rebuild()
                return
            todo = [job for job, state in self.states.items() if state not in (gc.STATE_WAITING, gc.STATE_FINISHED)]
            while todo:
                job = todo.pop()
                inputs = len(job._sis_inputs)
                old, new = self.states[job], self._state(job)
                self.states[job] = new
                if len(job._sis_inputs) != inputs:  # update() asked for more
                    self._rebuild()
                    return
                if (new != old and new == gc.STATE_FINISHED) or _exposes_early(job):
                    todo += [d for d in self._dependants.get(job, ()) if self._wakes(d)]

    def _wakes(self, job):
        return self.states[job] == gc.STATE_WAITING and all(
            p.available() for p in job._sis_inputs if p.creator is not None
        )

    def _rebuild(self):
        self._shape = len(self.graph.targets)
        needed = self.graph.walk(skip=lambda job: job._sis_finished())
        states = dict.fromkeys(self.graph.walk(), gc.STATE_FINISHED)  # what only finished jobs need is taken as done
        self._dependants = {}
        for job in needed:
            states[job] = self._state(job)
            if states[job] != gc.STATE_FINISHED:
                for creator in job._sis_creators():
                    self._dependants.setdefault(creator, []).append(job)
        self.states = states
        if self._shape != len(self.graph.targets):
            self._rebuild()

    def _state(self, job):
        if job in self._unstartable:
            return gc.STATE_ERROR
        task = job.__dict__.get("_sis_submitted_task")
        held = self.engine.in_hand(task) if task is not None else None
        try:
            state = held or job._sis_state(self.engine)
        except Exception as e:  # of the recipe's update() or tasks(), or of the file system: the other jobs go on
            self.refused[job] = _in_words(e)
            return gc.STATE_ERROR
        self.refused.pop(job, None)
        return state

    def refuse(self, job, error):
        """Take ``job``, which could not be started, as failed for as long as this manager runs."""
        self._unstartable.add(job)
        self.refused[job] = _in_words(error)
        self.states[job] = gc.STATE_ERROR

    def update_one(self, job):
        """Look at one job again, after something was done with it."""
        self.states[job] = self._state(job)

    def in_state(self, *states):
        return [job for job, state in self.states.items() if state in states]

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


def _exposes_early(job):
    from .job import Job

    return type(job).path_available is not Job.path_available
