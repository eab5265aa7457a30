"""Where jobs and curves are drawn."""

import random

import pytest
from sisyphus.reading.runs import Run
from sisyphus.web import gantt as drawing
from sisyphus.web.chart import HEIGHT, WIDTH, chart
from sisyphus.web.gantt import LANE, Axis, Worked, averages_of, gantt
from sisyphus.web.layers import layers_of, layout


def random_graph(seed):
    """Nodes and edges without cycles, of any density."""
    draw = random.Random(seed)
    nodes = list(range(draw.randint(1, 40)))
    density = draw.random() * 0.4
    edges = [(a, b) for a in nodes for b in nodes if a < b and draw.random() < density]
    draw.shuffle(nodes)
    return nodes, edges


@pytest.mark.parametrize("seed", range(30))
def test_layout(seed):
    """Lines go to the right, layer by layer; boxes do not overlap and lines pass beside them."""
    nodes, edges = random_graph(seed)
    places, lines = layout(nodes, edges)
    assert set(places) == set(nodes) and set(lines) == set(edges)
    for (a, b), points in lines.items():
        assert points[0] == places[a] and points[-1] == places[b]
        assert [layer for layer, _ in points] == list(range(points[0][0], points[-1][0] + 1)) and len(points) > 1
    boxes = sorted(places.values())
    for (layer, height), (next_layer, next_height) in zip(boxes, boxes[1:], strict=False):
        assert layer != next_layer or next_height - height > 0.999
    bends = {point for points in lines.values() for point in points[1:-1]}
    assert all(abs(y - height) > 0.999 for x, y in bends for layer, height in boxes if layer == x)
    assert min(height for _, height in boxes) >= 0


def test_layers():
    """A job stands right of all its inputs and, if it has users, right before the first of them."""
    edges = [("a", "b"), ("b", "c"), ("c", "d"), ("late", "d"), ("a", "early")]
    nodes = ["late", "d", "early", "c", "b", "a"]
    assert layers_of(nodes, edges) == {"a": 0, "b": 1, "c": 2, "late": 2, "d": 3, "early": 1}


def test_two_separate_lines_do_not_cross():
    places, _ = layout(["a1", "b2", "b1", "a2"], [("a1", "a2"), ("b1", "b2")])
    assert (places["a1"][1] < places["b1"][1]) == (places["a2"][1] < places["b2"][1])


def test_chart():
    points = [(1000 + 60 * i, 100.0, 1.0 + i) for i in range(5)] + [(9000 + 60 * i, 50.0, 2.0) for i in range(5)]
    memory, cpu = chart(points, {"mem": 4.0, "cpu": 2})["curves"]
    assert len(memory.paths) == 2, "the pause between two runs is left out"
    assert memory.paths[0].startswith("M0.0 ") and memory.paths[1].split("L")[-1].startswith(f"{WIDTH}.0 ")
    assert memory.title == "memory: now or last 2 GB, at most 5 GB, requested 4 GB"
    assert 0 < memory.limit < HEIGHT and cpu.limit == pytest.approx(HEIGHT * (1 - 200 / 210), abs=0.1)


@pytest.mark.parametrize("requested", [{}, {"mem": None, "cpu": "many"}])
def test_chart_without_requirements(requested):
    curves = chart([(1, 0.0, 0.0), (2, 0.0, 0.0)], requested)["curves"]
    assert [curve.limit for curve in curves] == [None, None]


def test_one_point_is_no_curve():
    assert chart([(1, 2.0, 3.0)], {}) is None and chart([], {}) is None


# which job ran when ------------------------------------------------------------------------------------------------
def ran(begin, end, cores=1, waited=None, task_id=1):
    return Run("run", task_id, begin, end, cores, 0, waited)


def random_runs(seed):
    draw = random.Random(seed)
    begins = [1000 + draw.uniform(0, 500) for _ in range(40)]
    return [ran(t, t + draw.uniform(0, 60), draw.randint(1, 4), draw.choice([None, 0, 5.0])) for t in begins]


@pytest.mark.parametrize("seed", range(5))
def test_bars_of_one_kind_do_not_overlap(seed):
    worked = [Worked(f"a/{'AB'[i % 2]}Job.{i}", f"name {i}", "finished", [r]) for i, r in enumerate(random_runs(seed))]
    rows = gantt(worked)["rows"]
    bars = sorted((bar["y"], bar["x"], bar["width"]) for row in rows for bar in row["bars"])
    assert len(bars) == 40 and sum(row["jobs"] for row in rows) == 40
    for (y, x, width), (next_y, next_x, _) in zip(bars, bars[1:], strict=False):
        assert y != next_y or next_x > x + width - 1.1, "a bar is a pixel wide at least"
    first, second = rows
    assert {bar["y"] < second["y"] - LANE for bar in first["bars"]} == {True}
    assert sum(float(row["share"].removesuffix(" %")) for row in rows) == pytest.approx(100, abs=0.1)


def test_row_of_a_kind():
    runs = [ran(0, 60, 2, waited=10), ran(60, 90, 2, waited=20, task_id=2), ran(30, 45, 4, task_id=3)]
    picture = gantt([Worked("a/b/TrainJob.xyz", "train/one", "failed", runs), Worked("EmptyJob.1", "", "waiting", [])])
    (row,) = picture["rows"]
    assert [row[key] for key in ("kind", "jobs", "core_time", "share", "waited")] == [
        "TrainJob", 1, "4:00", "100.0 %", "15.0 s",
    ]  # fmt: skip
    assert [curve["title"] for curve in picture["curves"]] == ["cores in use, at most 6", "tasks that wait, at most 1"]
    assert row["bars"][0]["title"].endswith("1:00 on 2 cores, waited 10.0 s") and row["bars"][0]["group"] == "failed"
    assert [bar["y"] - row["y"] for bar in row["bars"]] == [0, LANE, 0]


def test_long_pauses_are_cut_out():
    axis = Axis([ran(0, 100), ran(105, 200), ran(9000, 9100)])
    assert len(axis.cuts) == 1 and axis.at(9000) - axis.at(200) == drawing.CUT
    assert axis.at(9100) == pytest.approx(drawing.WIDTH) and axis.at(0) == 0
    assert axis.at(200) - axis.at(0) == pytest.approx(2 * (axis.at(9100) - axis.at(9000)))
    assert all(axis.time(axis.at(t)) == pytest.approx(t) for t in (0, 50, 103, 200, 9000, 9050))
    assert [label for _, label in axis.ticks()][-1] == "2:31:00"
    assert not [x for x, _ in axis.ticks() if axis.at(200) < x < axis.at(9000)], "no tick within the pause"


@pytest.mark.parametrize("seed", range(5))
def test_averages(seed):
    spans = [(run.begin, run.end, run.cores) for run in random_runs(seed)]
    edges = [1000.0 + 7 * i for i in range(85)]
    expected = [
        sum(h * max(0, min(b, right) - max(a, left)) for a, b, h in spans) / 7
        for left, right in zip(edges, edges[1:], strict=False)
    ]
    averages, most = averages_of(spans, edges)
    assert averages == pytest.approx(expected, abs=1e-6)
    assert most == max(sum(h for a, b, h in spans if a <= t < b) for t, _, _ in spans)


def test_many_bars(monkeypatch):
    """Only the longest are drawn, but all count."""
    monkeypatch.setattr(drawing, "BARS", 10)
    picture = gantt([Worked(f"Job.{i}", "", "finished", [ran(0, i + 1)]) for i in range(30)])
    (row,) = picture["rows"]
    assert len(row["bars"]) == 10 and picture["not_drawn"] == 20 and row["core_time"] == "7:45"


def test_nothing_ran():
    with pytest.raises(ValueError, match="no job has run"):
        gantt([Worked("Job.1", "", "waiting", [])])
    assert gantt([Worked("Job.1", "", "finished", [ran(5, 5)])])["rows"][0]["core_time"] == "0.0 s"
