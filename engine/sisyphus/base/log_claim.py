"""A worker locks its log for as long as it runs, so that two of them never run one task id, however they were started.

The usage file names the running process for people and for other hosts; it appears a moment later.
"""

import contextlib
import fcntl
import os
import time


def claim(logname):
    """Open or create ``logname`` and lock it until this process ends. A new log is locked from its first moment.

    Returns ``(whether this worker is the only one, whether the log is new)``.
    """
    folder, name = os.path.split(logname)
    part = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _lock(handle)
        os.link(part, logname)
        return True, True
    except OSError:  # there is a log already, or the file system has no hard links
        os.close(handle)
        return _lock(os.open(logname, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)), False
    finally:
        os.unlink(part)


def _lock(handle):
    for _ in range(5):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.02)  # `is_claimed` holds it only for a moment
        except OSError:
            return True  # a file system without locks: the usage file has to do
    return False


def is_claimed(logname):
    """Whether a worker of this host runs that writes to ``logname``."""
    with contextlib.suppress(OSError), open(logname, "rb") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
