"""Draws which job ran when: a row for each kind of job, a bar for each task id, and above them the cores in use."""

import bisect
import time
from pathlib import Path
from typing import NamedTuple

import jinja2

from ..base.words import duration

LEFT, WIDTH = 480, 900  # pixels of the table and of the time axis
LANE, GAP = 13, 7  # from bar to bar that overlap in time, and from row to row
CURVE = 34  # height of a curve
PAUSE = 0.1  # share of the time in which something runs; longer pauses are cut out
CUT = 12  # pixels that stand for such a pause
BARS = 1500  # the longest ones are drawn
TICKS = 8
STEPS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 6 * 3600, 86400, 7 * 86400)  # seconds between ticks
HERE = Path(__file__).parent


class Worked(NamedTuple):
    """A job and the `sisyphus.reading.runs.Run`s of its task ids."""

    job_id: str
    name: str  # alias, else the id
    group: str  # of its state, see `snapshot.GROUPS`
    runs: list


def svg(worked):
    """The picture as a file of its own. Raises `ValueError` if nothing ran."""
    pages = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True)
    pages.trim_blocks = pages.lstrip_blocks = True
    style = (HERE / "static/gantt.css").read_text(encoding="utf-8")
    return pages.get_template("gantt.svg").render(picture=gantt(worked), style=style)


def gantt(worked):
    """What the template draws, in pixels. Raises `ValueError` if none of the ``worked`` (`Worked`) ran."""
    every = [(run, one) for one in worked for run in one.runs]
    if not every:
        raise ValueError("no job has run, so there is nothing to draw")
    axis = Axis([run for run, _ in every])
    every.sort(key=lambda item: item[0].begin - item[0].end)
    drawn = {(one.job_id, run.task, run.task_id) for run, one in every[:BARS]}
    total = sum(map(_core_time, (run for run, _ in every))) or 1
    waits = [(run.begin - run.waited, run.begin, 1) for run, _ in every if run.waited]
    y, curves = 0, []
    for title, spans in (("cores in use", [(r.begin, r.end, r.cores) for r, _ in every]), ("tasks that wait", waits)):
        curves.append(_curve(title, spans, axis, y + CURVE))
        y += CURVE + GAP
    y += 14
    top, rows = y, []
    for kind, of_kind in _kinds(worked):
        row = _row(kind, of_kind, total, drawn, axis, y)
        rows.append(row)
        y += row["height"] + GAP
    return {
        "curves": curves,
        "rows": rows,
        "ticks": axis.ticks(),
        "cuts": axis.cuts,
        "top": top,
        "left": LEFT,
        "width": WIDTH,
        "height": y,
        "not_drawn": len(every) - len(drawn),
        "begin": time.strftime("%d %b %Y %H:%M", time.localtime(axis.begin)),
    }


def _core_time(run):
    return (run.end - run.begin) * run.cores


def _kinds(worked):
    """Kind of job -> its jobs, in the order in which the first of them began."""
    kinds = {}
    for one in sorted((w for w in worked if w.runs), key=lambda w: min(run.begin for run in w.runs)):
        kinds.setdefault(one.job_id.rpartition("/")[2].partition(".")[0], []).append(one)
    return kinds.items()


def _row(kind, jobs, total, drawn, axis, y):
    every = sorted(((run, one) for one in jobs for run in one.runs), key=lambda item: item[0].begin)
    seconds = sum(_core_time(run) for run, _ in every)
    waited = [run.waited for run, _ in every if run.waited is not None]
    bars, ends = [], []  # when each lane is free again
    for run, one in every:
        if (one.job_id, run.task, run.task_id) in drawn:
            lane = next((i for i, end in enumerate(ends) if end <= run.begin), len(ends))
            ends[lane : lane + 1] = [run.end]
            bars.append(_bar(run, one, axis, y + LANE * lane))
    return {
        "kind": kind,
        "jobs": len(jobs),
        "core_time": duration(seconds),
        "share": f"{100 * seconds / total:.1f} %",
        "waited": duration(sum(waited) / len(waited)) if waited else "",
        "bars": bars,
        "y": y,
        "height": LANE * max(1, len(ends)),
    }


def _bar(run, one, axis, y):
    x = axis.at(run.begin)
    width = axis.at(run.end) - x
    on = f"{run.cores:g} core{'s' if run.cores != 1 else ''}" + (f" and {run.gpus:g} GPU" if run.gpus else "")
    waited = "" if run.waited is None else f", waited {duration(run.waited)}"
    begin = time.strftime("%d %b %H:%M:%S", time.localtime(run.begin))
    return {
        "x": round(x, 1),
        "y": y,
        "width": round(max(width - 0.5, 1), 1),
        "group": one.group,
        "job_id": one.job_id,
        "cores": f"{run.cores:g}" if width > 14 else "",
        "title": f"{one.name} {run.task} {run.task_id}: {begin}, {duration(run.end - run.begin)} on {on}{waited}",
    }


class Axis:
    """Turns unix times into pixels from 0 to ``WIDTH``. ``cuts``: where a pause in which nothing ran is left out."""

    def __init__(self, runs):
        busy = []
        for begin, end in sorted((run.begin, run.end) for run in runs):
            if busy and begin <= busy[-1][1]:
                busy[-1][1] = max(busy[-1][1], end)
            else:
                busy.append([begin, end])
        longest = PAUSE * sum(end - begin for begin, end in busy)
        stretches = busy[:1]
        for begin, end in busy[1:]:
            if begin - stretches[-1][1] <= longest:
                stretches[-1][1] = end
            else:
                stretches.append([begin, end])
        self.begin = stretches[0][0]
        cut = min(CUT, WIDTH / (2 * len(stretches)))
        seconds = sum(end - begin for begin, end in stretches) or 1
        self._scale = (WIDTH - cut * (len(stretches) - 1)) / seconds  # pixels of a second
        self._times, self._pixels = [], []
        x = 0
        for begin, end in stretches:
            self._times += [begin, end]
            self._pixels += [x, x + self._scale * (end - begin)]
            x = self._pixels[-1] + cut
        self.cuts = [round(x + cut / 2, 1) for x in self._pixels[1:-1:2]]

    def at(self, when):
        return _between(when, self._times, self._pixels)

    def time(self, x):
        return _between(x, self._pixels, self._times)

    def ticks(self):
        """``(pixel, time since the begin)``; none within a pause."""
        step = next((s for s in STEPS if s * self._scale * TICKS >= WIDTH), STEPS[-1])
        found = []
        for first, last in zip(self._times[::2], self._times[1::2], strict=True):
            number = -(-(first - self.begin) // step)
            while self.begin + number * step <= last:
                label = duration(number * step) if number else "0"
                found.append((round(self.at(self.begin + number * step), 1), label))
                number += 1
        return found


def _between(value, known, wanted):
    """``wanted`` at ``value`` by straight lines between the points; beyond them the first or last one."""
    i = min(max(bisect.bisect_right(known, value), 1), len(known) - 1)
    span = known[i] - known[i - 1]
    share = min(max((value - known[i - 1]) / span, 0), 1) if span else 0
    return wanted[i - 1] + share * (wanted[i] - wanted[i - 1])


def _curve(title, spans, axis, bottom):
    """The sum of ``(begin, end, height)`` over time, as its average in every second pixel; ``most``: its peak."""
    edges = [axis.time(x) for x in range(0, WIDTH + 1, 2)]
    averages, most = averages_of(spans, edges)
    points = (
        f"{2 * i} {bottom - CURVE * value / (most or 1):.1f} {2 * i + 2} {bottom - CURVE * value / (most or 1):.1f}"
        for i, value in enumerate(averages)
    )
    path = f"M0 {bottom}L{' '.join(points)} {WIDTH} {bottom}Z"
    return {"path": path, "title": f"{title}, at most {most:g}", "y": bottom}


def averages_of(spans, edges):
    """``(averages between neighbouring edges, peak)`` of the sum of spans ``(begin, end, height)``."""
    changes = sorted([(begin, height) for begin, _, height in spans] + [(end, -height) for _, end, height in spans])
    level = most = i = 0
    averages, last = [], min(edges[0], changes[0][0]) if changes else edges[0]
    for before, edge in zip([last, *edges], edges, strict=False):
        area = 0
        while i < len(changes) and changes[i][0] <= edge:
            area += level * (changes[i][0] - last)
            last = changes[i][0]
            level += changes[i][1]
            most = max(most, level)
            i += 1
        area += level * (edge - last)
        last = edge
        averages.append(area / (edge - before) if edge > before else level)
    return averages[1:], most
