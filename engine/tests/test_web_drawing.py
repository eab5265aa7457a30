"""Where jobs and curves are drawn."""

import random

import pytest
from sisyphus.web.chart import HEIGHT, WIDTH, chart
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
