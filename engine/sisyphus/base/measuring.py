"""Processor time and memory of processes."""

import os
import time

_GB = 1024**3


def used_by_this_process():
    """Like `used_by_process_tree`, for this process and its ended children, with its largest sizes.

    Raises `OSError` on systems without /proc.
    """
    with open("/proc/self/status", encoding="utf-8") as f:
        kib = dict(line.split()[:2] for line in f if line.startswith("Vm"))
    with open("/proc/self/stat", "rb") as f:
        started = int(f.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    alive = max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 1e-3)
    cpu = round(100 * sum(os.times()[:4]) / alive, 1)
    return {"cpu": cpu, "rss": int(kib["VmHWM:"]) * 1024 / _GB, "vms": int(kib["VmPeak:"]) * 1024 / _GB}


def used_by_process_tree(process):
    """CPU (percent), resident and virtual memory (GB) of a `psutil.Process` and its children."""
    import psutil

    total = {"cpu": 0.0, "rss": 0.0, "vms": 0.0}
    for p in [process, *process.children(recursive=True)]:
        try:
            memory = p.memory_info()
            times = p.cpu_times()
            alive = max(time.time() - p.create_time(), 1e-3)
        except psutil.Error:
            continue  # it has just ended
        total["cpu"] += round(100 * (times.user + times.system) / alive, 1)
        total["rss"] += memory.rss / _GB
        total["vms"] += memory.vms / _GB
    return total
