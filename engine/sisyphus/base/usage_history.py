"""What a task used over time: ``usage_history.<task>.<id>``, lines ``<unix time> <CPU percent> <GB resident>``."""

import contextlib
import time

from .. import global_settings as gs
from .writing import write_atomically

POINTS = 240  # the most lines; beyond that, neighbours are merged


class UsageHistory:
    """Measures of one task id. A task that is started again continues the file of its earlier run."""

    def __init__(self, filename):
        self._filename = filename
        self._points = read_history(filename)
        self._step = gs.PLOGGING_INTERVAL
        self._last = time.time()
        self._cpu_seconds = 0.0
        self._peak = 0.0  # GB since the last point

    def add(self, process, rss):
        """Measure a `psutil.Process` and its children, which hold ``rss`` GB."""
        self._peak = max(self._peak, rss)
        now = time.time()
        if now - self._last < 0.9 * self._step:
            return
        cpu_seconds = _cpu_seconds(process)
        percent = 100 * max(cpu_seconds - self._cpu_seconds, 0.0) / (now - self._last)
        self._points.append((now, percent, self._peak))
        self._last, self._cpu_seconds, self._peak = now, cpu_seconds, rss
        if len(self._points) > POINTS:
            self._points = [_merged(*self._points[i : i + 2]) for i in range(0, len(self._points), 2)]
            self._step *= 2

    def write(self):
        write_atomically(self._filename, "".join(f"{t:.0f} {cpu:.1f} {rss:.4f}\n" for t, cpu, rss in self._points))


def read_history(filename):
    """``[(unix time, CPU percent, GB), ...]``; no point if there is no file."""
    try:
        with open(filename, encoding="utf-8") as f:
            return parse_history(f.read())
    except FileNotFoundError:
        return []


def parse_history(text):
    points = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            when, cpu, rss = map(float, line.split())
            points.append((when, cpu, rss))
    return points


def _merged(first, second=None):
    if second is None:
        return first
    return second[0], (first[1] + second[1]) / 2, max(first[2], second[2])


def _cpu_seconds(process):
    """Processor time of a process and its children, also of those that have ended."""
    import psutil

    total = 0.0
    for p in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it has just ended
            times = p.cpu_times()
            total += (
                times.user + times.system + getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
            )
    return total
