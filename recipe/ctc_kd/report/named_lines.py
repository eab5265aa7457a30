"""A plot of error rates: a line of marked points for each row, whose name stands at its right end."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from ctc_kd.report import names
from ctc_kd.report.svg import LINE_HEIGHT, Plot, label_width, spread_out

LEADER = 14
"""Length of what joins a line and its name, in drawing units."""


def named_lines(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    heading: str,
    places: Mapping[float, str],
    in_ink: Container[str],
    limits: Mapping[str, float] | None = None,
    y_scale: Callable[[float], float] = float,
) -> Plot:
    """
    :param lines: name -> positions and percent, from left to right; one without points is left out
    :param heading: what the percent are
    :param places: position -> what it is called below the axis and in tooltips, from left to right
    :param in_ink: names of lines without a colour, with which one compares the others
    :param limits: name -> percent of a horizontal line
    :param y_scale: what heights are linear in
    """
    lines, limits = {name: points for name, points in lines.items() if points}, limits or {}
    values = [*(value for points in lines.values() for _, value in points), *limits.values()]
    pad = max(0.06 * (max(values) - min(values)), 0.2)
    right = LEADER + 4 + label_width([*lines, *limits])
    positions = list(places)
    plot = Plot(
        width=450 + right,
        height=max(340, LINE_HEIGHT * (len(lines) + len(limits) + 4)),
        x=(positions[0], positions[-1]),
        y=(max(0, min(values) - pad), max(values) + pad),
        margins=(44, right, 30, 30),
        y_scale=y_scale,
    )
    plot.y_axis()
    plot.text(4, 14, heading, anchor="start")
    for position, place in places.items():
        plot.text(plot.x(position), plot.bottom + 18, place)
    for value in limits.values():
        plot.horizontal(value, "rule teacher")
    colours = {name: "ink" if name in in_ink else f"c{number % 5}" for number, name in enumerate(lines)}
    for number, (name, points) in enumerate(lines.items()):
        plot.line(points, f"line {colours[name]}")
        for position, value in points:
            title = f"{name}, {places[position]}: {names.wer(value)} %"
            plot.marker(position, value, number % 3, f"mark {colours[name]}", title)
    ends = {name: plot.y(points[-1][1]) for name, points in lines.items()}
    ends |= {name: plot.y(value) for name, value in limits.items()}
    heights = spread_out(list(ends.values()), LINE_HEIGHT, plot.bottom)
    for (name, end), height in zip(ends.items(), heights, strict=True):
        colour = colours.get(name, "")
        leader = f"{plot.right:.1f},{end:.1f} {plot.right + LEADER:.1f},{height:.1f}"
        plot.add("polyline", points=leader, class_=f"line train {colour}")
        plot.text(plot.right + LEADER + 4, height + 4, name, class_=f"label {colour}", anchor="start")
    return plot
