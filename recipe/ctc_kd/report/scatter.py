"""A picture of named dots over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from ctc_kd.report.svg import CHARACTER_WIDTH, LINE_HEIGHT, Plot


class Dot(NamedTuple):
    """
    :param x: above 0
    :param colour: a class of the style sheet, ``"ink"`` or ``"c0"`` to ``"c4"``
    :param title: what the dot says when it is pointed at
    """

    x: float
    y: float
    label: str
    colour: str
    title: str


class Box(NamedTuple):
    """What a text or a dot covers, in drawing units; ``top`` is above ``bottom``, so it is the smaller number."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def scatter(dots: Sequence[Dot], *, x_label: str, y_label: str) -> str:
    """
    :param dots: one or more
    :param x_label, y_label: of the axes, the latter is written above its axis
    """
    ends = round_numbers(min(dot.x for dot in dots) / 1.1, max(dot.x for dot in dots) * 1.1)
    values = [dot.y for dot in dots]
    pad = max(0.15 * (max(values) - min(values)), 0.5)
    plot = Plot(
        width=560,
        height=320,
        x=(math.log(ends[0]), math.log(ends[-1])),
        y=(max(min(values) - pad, 0), max(values) + pad),
        margins=(44, 20, 30, 44),
    )
    plot.y_axis()
    plot.text(4, 14, y_label, anchor="start")
    for tick in ends:
        plot.text(plot.x(math.log(tick)), plot.bottom + 18, f"{tick:g}")
    plot.text((plot.left + plot.right) / 2, plot.height - 6, x_label)
    points = [(plot.x(math.log(dot.x)), plot.y(dot.y)) for dot in dots]
    frame = Box(plot.left, plot.top, plot.right, plot.bottom)
    for dot, point, box in zip(dots, points, label_boxes(points, [dot.label for dot in dots], frame), strict=True):
        if not Box(point[0] - 12, point[1] - 12, point[0] + 12, point[1] + 12).overlaps(box):
            end = min(max(point[0], box.left), box.right), min(max(point[1], box.top), box.bottom)
            plot.add("line", x1=point[0], y1=point[1], x2=end[0], y2=end[1], class_="grid")
        plot.marker(math.log(dot.x), dot.y, 0, f"mark {dot.colour}", dot.title)
        anchor, x = _beside(point[0], box)
        plot.text(x, box.bottom - 5, dot.label, class_="label", anchor=anchor)
    return plot.svg(f"{y_label} over {x_label}: " + "; ".join(dot.title for dot in dots))


def round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, from the last one up to ``low`` to the first one from ``high`` on."""
    powers = range(math.floor(math.log10(low)) - 1, math.floor(math.log10(high)) + 2)
    numbers = [float(f"{factor}e{power}") for power, factor in product(powers, (1, 2, 5))]
    first = max(index for index, number in enumerate(numbers) if number <= low)
    last = min(index for index, number in enumerate(numbers) if number >= high)
    return numbers[first : last + 1]


def label_boxes(points: Sequence[tuple[float, float]], labels: Sequence[str], frame: Box) -> list[Box]:
    """Where labels stand: each as near to its point as there is room, over no dot and no other label.

    :param points: the centres of the dots, in drawing units
    :param frame: which labels should not leave
    """
    taken = [Box(x - 7, y - 7, x + 7, y + 7) for x, y in points]
    boxes = []
    for (x, y), label in zip(points, labels, strict=True):
        free = (box for box in _places(x, y, label, frame) if not any(map(box.overlaps, taken)))
        boxes.append(next(free))
        taken.append(boxes[-1])
    return boxes


def _places(x: float, y: float, label: str, frame: Box) -> Iterator[Box]:
    """Right of a point, left of it, above or below; then ever further up and down, within the frame at first."""
    width, half = CHARACTER_WIDTH * len(label), LINE_HEIGHT / 2
    near = [(x + 10, y - half), (x - 10 - width, y - half), (x - width / 2, y - 27), (x - width / 2, y + 10)]
    steps = [sign * LINE_HEIGHT * number for number in range(1, 40) for sign in (-1, 1)]
    far = [(left, top + step) for step in steps for left, top in near]
    boxes = [Box(left, top, left + width, top + LINE_HEIGHT) for left, top in [*near, *far]]
    inside = [box for box in boxes if _is_within(box, frame)]
    yield from inside
    yield from (box for box in boxes if box not in inside)


def _beside(x: float, box: Box) -> tuple[str, float]:
    """The edge of a box that is next to a dot, because texts may need less room: SVG's name for it, and where it is."""
    if box.left > x:
        return "start", box.left
    return ("end", box.right) if box.right < x else ("middle", (box.left + box.right) / 2)


def _is_within(box: Box, frame: Box) -> bool:
    return frame.left <= box.left and box.right <= frame.right and frame.top <= box.top and box.bottom <= frame.bottom
