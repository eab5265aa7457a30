"""Which jobs run or are queued, so that nothing is done to their folders."""

from .. import global_constants as gc
from .. import job as jobs
from ..base import layout
from ..engine import cached_engine
from ..jobs.stored import load_job
from ..reading.lookup import folder_state


def busy_ones(folders):
    """Those of ``folders`` whose job runs or waits in the queue of a cluster (asked only about unfinished jobs)."""
    states = {folder: folder_state(folder) for folder in folders}
    open_ones = [f for f, state in states.items() if state in ("failed", "unfinished") and layout.was_submitted(f)]
    queued = _in_queue(open_ones) if open_ones else set()
    return [folder for folder, state in states.items() if state == "running" or folder in queued]


def _in_queue(folders):
    engine, queued = cached_engine(), set()
    engine.reset_cache()
    known = {job._sis_path(abspath=True): job for job in jobs.created_jobs.values()}  # loading it would change this one
    for folder in folders:
        try:
            tasks = (known.get(folder) or load_job(folder))._sis_tasks()
        except Exception:  # a recipe that has changed: what its job.save says is lost
            continue
        states = (engine.task_state(task, i) for task in tasks for i in task.task_ids())
        if any(state != gc.STATE_UNKNOWN for state in states):
            queued.add(folder)
    return queued
