"""A worker on a cluster makes its own log the log of its task id, unless another worker owns that and may still run.

Its own log, ``engine/<name>.<job>.<index>``, was opened by the cluster; ``log.<task>.<id>`` is a hard link to it, made
with an exclusive call, so only one of two workers on any hosts succeeds. The log of a worker that has ended goes to
the worker that makes ``engine/.<inode of that log>.next`` first. That file is a lock, claimed in the same way.
"""

import contextlib
import logging
import os
import re

from .. import global_constants as gc
from ..base import layout, log_claim
from ..base.usage_file import read_usage, recently_active
from . import commands


def claim_task(prefix, task_name, task_id):
    """Whether this process, in a job of Slurm, may run the task id of the job in the folder ``prefix``."""
    finished, log, usage_file = (
        layout.file_of(prefix, kind, task_name, task_id) for kind in (layout.FINISHED, layout.LOG, layout.USAGE)
    )
    if os.path.exists(finished):
        logging.error("%s %s %s is finished, this process stops", prefix, task_name, task_id)
        return False
    if rank() or "SLURM_ARRAY_JOB_ID" not in os.environ:
        return True  # the first process of the job decides; without a job somebody tries the task by hand
    engine = f"{prefix}/{gc.JOB_LOG_ENGINE}"
    own = engine + "/{SLURM_JOB_NAME}.{SLURM_ARRAY_JOB_ID}.{SLURM_ARRAY_TASK_ID}".format(**os.environ)
    own += ".0" if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1 else ""
    if claim(own, log, lambda log: _may_run(log, engine, usage_file)):
        return True
    logging.error("%s %s %s runs already, this process stops", prefix, task_name, task_id)
    return False


def rank():
    """Number of this process among those that srun starts for one task id (``multi_node_slots``)."""
    return int(os.environ.get("SLURM_PROCID", 0))


def claim(own, log, alive):
    """Whether this worker is the only one; then ``log`` is its log. ``alive(log)``: whether the owner of it may run."""
    log_claim.claim(own)  # locked for as long as this process runs
    return _claim(own, log, alive)


def _claim(own, log, alive):
    if _link(own, log):
        return True
    try:
        return _take_over(own, log, alive)
    except FileNotFoundError:  # another one was faster, and has removed its lock
        return False


def _take_over(own, log, alive):
    owner = os.stat(log)
    if os.path.samestat(os.stat(own), owner):
        return True  # the cluster started this job again
    lock = f"{os.path.dirname(own)}/.{owner.st_ino}.next"
    if alive(log) or not _claim(own, lock, alive):
        return False
    try:
        alone = os.path.samestat(os.stat(log), owner)  # else another one was faster, and has removed its lock
        if alone:
            _replace(log, own)
        return alone
    finally:
        os.unlink(lock)


def _replace(log, own):
    if os.stat(log).st_nlink == 1 and not os.path.islink(log):  # the log of another engine
        with contextlib.suppress(OSError):
            os.link(log, own + ".before")
    part = f"{own}.{os.path.basename(log)}"
    _link(own, part)
    os.replace(part, log)


def _link(own, log):
    """Returns False if ``log`` exists."""
    try:
        os.link(own, log)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        try:
            os.symlink(own, log)
        except FileExistsError:
            return False
    return True


def owner_of(log, engine):
    """``(job, index)`` of the cluster job whose log this is, None if no file of the folder ``engine`` is the same."""
    with contextlib.suppress(OSError), os.scandir(engine) as entries:
        wanted = os.stat(log)
        for entry in entries:
            match = re.search(r"\.(\d+)\.(\d+)(\.0)?$", entry.name)
            if match and os.path.samestat(entry.stat(), wanted):
                return int(match[1]), int(match[2])
    return None


def _may_run(log, engine, usage_file):
    """Whether the worker that made ``log`` runs, or it cannot be excluded."""
    if log_claim.is_claimed(log):
        return True
    owner = owner_of(log, engine)
    if owner is not None:
        call = ["squeue", "-h", "--all", "--states=all", "-o", "%T", "-j", "{}_{}".format(*owner)]
        try:
            states = commands.run(call, commands.ANSWER).split()
            return any(s not in commands.ENDED for s in states)
        except commands.CommandFailed as e:
            if "Invalid job id" in str(e):
                return False
    return recently_active(read_usage(usage_file), usage_file, log)
