"""Identifies the process of a task by host, process id and start time, so a reused id is not mistaken for it."""

import contextlib
import functools
import os
import signal


@functools.lru_cache(maxsize=1)
def hostname():
    return os.uname().nodename


def start_time(pid):
    """When process ``pid`` of this host was started (an opaque number), None if it is not running."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            fields = f.read().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    except (ProcessLookupError, FileNotFoundError, NotADirectoryError):
        if os.path.isdir("/proc/self"):
            return None
    import psutil  # systems without /proc

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def kill_sessions(leaders, folder):
    """Kill the processes that ended workers left behind: those of sessions ``leaders`` that work in ``folder``."""
    import psutil

    # where a later process has the id, there is nothing: the system reuses it only when the session is empty
    leaders = {leader for leader in leaders if start_time(leader) is None}
    folder = os.path.realpath(folder) + os.sep
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):  # it ends meanwhile, or is not ours
            if os.getsid(pid) in leaders - {pid} and psutil.Process(pid).cwd().startswith(folder):
                os.kill(pid, signal.SIGKILL)


def is_running(pid, started):
    """Whether the process ``pid`` that was started at ``started`` (from `start_time`) still runs on this host."""
    return started is not None and start_time(pid) == started


@functools.cache
def _network_devices():
    """Device numbers of mounted network file systems."""
    remote = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "afs", "panfs", "pvfs")
    remote += tuple("fuse." + name for name in ("sshfs", "glusterfs", "s3fs", "juicefs", "ceph", "nfs"))
    devices = set()
    try:
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            for line in f:
                left, _, right = line.partition(" - ")
                if right.startswith(remote):
                    major, minor = left.split()[2].split(":")
                    devices.add(os.makedev(int(major), int(minor)))
    except OSError:
        pass
    return devices


def on_network_filesystem(path):
    """Whether ``path`` lies on a file system that other hosts write to (then new files need time to appear)."""
    try:
        return os.stat(path).st_dev in _network_devices()
    except OSError:
        return False
