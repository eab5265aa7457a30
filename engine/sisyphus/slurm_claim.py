"""A worker on a cluster makes its own log the log of its task id, unless another worker that may still run has it.

Its own log, ``engine/<name>.<job>.<index>``, was opened by the cluster; ``log.<task>.<id>`` is a hard link to it, made
with an exclusive call, so that of two workers on any hosts one is the first. The log of a worker that has ended goes to
the first one that makes ``engine/.<inode of that log>.next``, a lock that is claimed in the same way.
"""

import contextlib
import os
import re

from . import log_claim


def claim(own, log, alive):
    """Whether this worker is the only one; then ``log`` is its log. ``alive(log)``: whether the owner of it may run."""
    log_claim.claim(own)  # locked for as long as this process runs
    return _claim(own, log, alive)


def _claim(own, log, alive):
    if _link(own, log):
        return True
    owner = os.stat(log)
    if os.path.samestat(os.stat(own), owner):
        return True  # the cluster started this job again
    lock = f"{os.path.dirname(own)}/.{owner.st_ino}.next"
    if alive(log) or not _claim(own, lock, alive):
        return False
    alone = os.path.samestat(os.stat(log), owner)  # else another one was faster, and has removed its lock
    if alone:
        _replace(log, own)
    os.unlink(lock)
    return alone


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
