"""The labels of dots can be read, wherever the dots are."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.report.scatter import Box, Dot, label_boxes, round_numbers, scatter

FRAME = Box(44, 30, 540, 276)
points = st.tuples(st.floats(44, 540), st.floats(30, 276))


@given(st.lists(points, min_size=1, max_size=8), st.integers(1, 30))
def test_labels_cover_neither_dots_nor_each_other(places, length):
    boxes = label_boxes(places, ["x" * length] * len(places), FRAME)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.overlaps(Box(x, y, x, y)) for box in boxes for x, y in places)


@given(points)
def test_a_label_stays_within_the_frame(place):
    ((left, top, right, bottom),) = label_boxes([place], ["Best student"], FRAME)
    assert FRAME.left <= left < right <= FRAME.right and FRAME.top <= top < bottom <= FRAME.bottom


@given(st.floats(1e-4, 1e3), st.floats(1, 1e4))
def test_the_axis_ends_in_round_numbers_around_all_dots(low, factor):
    numbers = round_numbers(low, low * factor)
    assert numbers[0] <= low and low * factor <= numbers[-1]
    assert all(f"{number:e}"[0] in "125" for number in numbers)
    assert all(1.9 < after / before < 2.6 for before, after in zip(numbers, numbers[1:], strict=False))
    assert all(low < number < low * factor for number in numbers[1:-1])


def test_a_factor_is_the_same_distance_everywhere():
    drawing = scatter(
        [Dot(x, 10.0 + x, f"<{x}>", "c0", f"at {x}") for x in (0.01, 0.02, 0.04)], x_label="RTF", y_label="WER [%]"
    )
    centres = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', drawing)]
    assert centres[2] - centres[1] == pytest.approx(centres[1] - centres[0], abs=0.11) and centres[0] < centres[1]
    assert all(f"&lt;{x}&gt;</text>" in drawing and f"<title>at {x}</title>" in drawing for x in (0.01, 0.02, 0.04))


def test_a_label_far_from_its_dot_has_a_line_to_it():
    alone = scatter([Dot(0.01, 10.0, "A", "c0", "A")], x_label="x", y_label="y")
    many = [Dot(0.01, 10.0, "the same place", "c0", "B")] * 6
    lines = [drawing.count("<line") for drawing in (alone, scatter(many, x_label="x", y_label="y"))]
    assert lines[1] > lines[0]
