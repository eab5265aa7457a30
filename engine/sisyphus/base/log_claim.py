"""A worker locks its log for as long as it runs, so that two of them never run one task id, however they were started.

The usage file names the running process for people and for other hosts; it appears a moment later.
"""

import contextlib
import fcntl
import os
import re
import signal
import time

_TAKER = re.compile(r"^lock:.* FLOCK .* WRITE (\d+) ", re.M)


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


def end_copies(logname):
    """Kill the forked copies of an ended worker: they keep its lock, whatever session or folder they have moved to."""
    holders = _holders(logname)
    for pid, taker in holders.items():
        if taker not in holders:  # a worker that lives holds its lock itself
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def holders_as_text(logname):
    """Who has locked ``logname``, for a message."""
    found = [f"process {pid} ({_command(pid)})" for pid in _holders(logname)]
    return ", ".join(found) or "a process that cannot be seen from here"


def _holders(logname):
    """Process id -> id of the process that took the lock, for all that hold it; empty where the system hides that."""
    from glob import iglob  # workers load this module and do not need it

    holders = {}
    with contextlib.suppress(OSError):
        log = os.stat(logname)
        for info in iglob("/proc/[0-9]*/fdinfo/*"):
            with contextlib.suppress(OSError), open(info, encoding="utf-8") as f:  # it ends meanwhile, or is not ours
                taker = _TAKER.search(f.read())
                if taker and os.path.samestat(os.stat(info.replace("/fdinfo/", "/fd/")), log):
                    holders[int(info.split("/")[2])] = int(taker[1])
    return holders


def _command(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read(300).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return "its command is not known"
