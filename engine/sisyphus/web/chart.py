"""Draws the memory and processor use of a task over time."""

import time
from typing import NamedTuple

WIDTH, HEIGHT = 600, 90  # pixels of a curve


class Curve(NamedTuple):
    title: str
    paths: list  # one for each run of the task
    limit: float | None  # height of what was requested, in pixels


def chart(points, requested):
    """Curves of memory and processor use with their time axis; None for fewer than two points.

    ``points``: `(unix time, CPU percent, GB)`; ``requested``: the requirements, as far as they are known.
    """
    if len(points) < 2:
        return None
    times = [t for t, _, _ in points]
    begin, end = times[0], max(times[-1], times[0] + 1)
    runs = _runs(points)
    cores = requested.get("cpu")
    return {
        "curves": [
            _curve("memory", "GB", runs, begin, end, 2, requested.get("mem")),
            _curve("CPU", "%", runs, begin, end, 1, 100 * cores if isinstance(cores, (int, float)) else None),
        ],
        "begin": time.strftime("%d %b %H:%M", time.localtime(begin)),
        "end": time.strftime("%d %b %H:%M", time.localtime(end)),
        "width": WIDTH,
        "height": HEIGHT,
    }


def _runs(points):
    """The points, cut where the task did not run: where a step is far longer than usual."""
    steps = sorted(b[0] - a[0] for a, b in zip(points, points[1:], strict=False))
    longest = max(8 * steps[len(steps) // 2], 60)
    runs = [[points[0]]]
    for a, b in zip(points, points[1:], strict=False):
        if b[0] - a[0] > longest:
            runs.append([])
        runs[-1].append(b)
    return runs


def _curve(name, unit, runs, begin, end, column, limit):
    values = [p[column] for run in runs for p in run]
    if not isinstance(limit, (int, float)):
        limit = None
    top = 1.05 * max(max(values), limit or 0, 1e-3)

    def height(value):
        return round(HEIGHT * (1 - value / top), 1)

    paths = []
    for run in runs:
        at = (f"{WIDTH * (p[0] - begin) / (end - begin):.1f} {height(p[column])}" for p in run)
        paths.append("M" + "L".join(at))
    asked = f", requested {limit:.3g} {unit}" if limit else ""
    title = f"{name}: now or last {values[-1]:.3g} {unit}, at most {max(values):.3g} {unit}{asked}"
    return Curve(title, paths, height(limit) if limit else None)
