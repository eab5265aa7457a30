"""What the page sees of the manager: copies, taken in the page's thread, that do not change while they are read."""

from .. import global_constants as gc
from .. import job as jobs
from ..run.graph_states import FAILED

GROUPS = {  # what a person calls a state, in the order in which it matters
    "failed": FAILED,
    "running": {gc.STATE_RUNNING},
    "queued": {gc.STATE_QUEUE},
    "runnable": {gc.STATE_RUNNABLE, gc.STATE_INTERRUPTED_RESUMABLE},
    "held": {gc.STATE_HOLD},
    "unknown": {gc.STATE_UNKNOWN},
    "waiting": {gc.STATE_WAITING},
    "finished": {gc.STATE_FINISHED},
}
_GROUP_OF = {state: group for group, states in GROUPS.items() for state in states}


def group_of(state):
    return _GROUP_OF.get(state, "unknown")


class Snapshot:
    """``states``: job -> state; ``refused``: job -> why it cannot run; ``targets`` of the graph."""

    def __init__(self, manager):
        self.states = manager.view.states.copy()  # one step for the interpreter: the manager cannot come in between
        self.refused = manager.view.refused.copy()
        self.targets = list(manager.graph.targets)

    def job(self, sis_id):
        """The job of this run with this id, else None."""
        job = jobs.created_jobs.get(sis_id)
        return job if job in self.states else None

    def group(self, job):
        return group_of(self.states.get(job, gc.STATE_UNKNOWN))

    def users(self):
        """Job id -> the jobs that read from it."""
        users = {}
        for job in self.states:
            for creator in job._sis_creators():
                users.setdefault(creator._sis_id(), []).append(job)
        return users
