"""A worker on a cluster makes its own log the log of its task id, unless another worker that may still run has it.

Its own log, ``engine/<name>.<job>.<index>``, was opened by the cluster; ``log.<task>.<id>`` is a hard link to it, made
with an exclusive call, so that of two workers on any hosts one is the first.
"""

import contextlib
import os
import re

from . import log_claim


def claim(own, log, alive):
    """Whether this worker is the only one; then ``log`` is its log. ``alive(log)``: whether the owner of it may run."""
    log_claim.claim(own)  # locked for as long as this process runs
    while not _link(own, log):
        if os.path.samefile(own, log):
            return True  # the cluster started this job again
        with contextlib.suppress(FileNotFoundError):
            owner = os.stat(log)
            if alive(log) or not _put_aside(log, owner, own + ".before"):
                return False
    return True


def _link(own, log):
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


def _put_aside(log, owner, aside):
    """Remove the log of a worker that has ended; False if meanwhile another worker did so and put its own there."""
    os.rename(log, aside)
    if not os.path.samestat(os.stat(aside), owner):
        with contextlib.suppress(FileExistsError):
            os.link(aside, log)
        os.unlink(aside)
        return False
    if os.stat(aside).st_nlink > 1 or os.path.islink(aside):
        os.unlink(aside)  # it still has its own name
    return True


def owner_of(log):
    """``(job, index)`` of the cluster job whose log this is, None if no file of ``engine/`` is the same."""
    engine = os.path.join(os.path.dirname(log), "engine")
    with contextlib.suppress(OSError), os.scandir(engine) as entries:
        wanted = os.stat(log)
        for entry in entries:
            match = re.search(r"\.(\d+)\.(\d+)(\.0)?$", entry.name)
            if match and os.path.samestat(entry.stat(), wanted):
                return int(match[1]), int(match[2])
    return None
