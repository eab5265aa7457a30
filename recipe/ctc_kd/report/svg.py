"""HTML elements, and small inline SVG plots that take their colours from the page's style sheet (light and dark)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

from ctc_kd.report.style import STYLE

HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
)
LINE_HEIGHT, CHARACTER_WIDTH = 17, 8.4
"""Of labels, in drawing units. On a phone texts are larger than elsewhere, and these are for them."""


def element(name: str, content: str = "", **attributes) -> str:
    """One SVG or HTML element; ``class_`` is written ``class``, ``stroke_width`` is written ``stroke-width``."""
    pairs = (f'{key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"' for key, value in attributes.items())
    return f"<{' '.join([name, *pairs])}>{content}</{name}>"


def _text(value) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def note(text: str) -> str:
    """A paragraph of small print."""
    return element("p", prose(text.strip()), class_="note")


def document(title: str, main: str) -> str:
    """A page of one file: no scripts, nothing loaded from elsewhere.

    :param main: the content, as HTML
    """
    head = f"{HEAD}<title>{escape(title)}</title><style>{STYLE}</style>"
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body><main>{main}</main></body></html>\n'


def sectioned(title: str, *, kicker: str, lede: str = "", sections: Iterable[tuple[str, str, str]]) -> str:
    """A page of sections.

    :param kicker: what kind of report it is, above the title
    :param lede: what was found, below the title
    :param sections: name, heading and HTML of each; one without content is left out
    """
    header = element("p", kicker, class_="kicker") + element("h1", escape(title))
    if lede:
        header += element("p", prose(lede), class_="lede")
    body = "".join(
        element("section", element("p", name, class_="kicker") + element("h2", heading) + content)
        for name, heading, content in sections
        if content
    )
    return document(title, element("header", header) + body)


def grouped_rows(rows: Iterable[tuple[str, str]]) -> str:
    """Table rows of ``(label, cells)``; a label is left out if the row above has it, too."""
    texts, previous = [], None
    for label, cells in rows:
        first = label != previous
        previous = label
        texts.append(f'<tr class="{"first" if first else ""}"><th>{label if first else ""}</th>{cells}</tr>')
    return "".join(texts)


def prose(text: str) -> str:
    """Escapes a text, and puts no-break spaces into quantities."""
    return escape(text).replace(" %", "\u00a0%").replace(" = ", "\u00a0=\u00a0")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round numbers between ``low`` and ``high``."""
    raw = max(high - low, 1e-9) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    return [index * step for index in range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)]


def spread_out(heights: Sequence[float], step: float, bottom: float) -> list[float]:
    """Heights in the same order, moved up as little as makes them ``step`` apart, and not below ``bottom``."""
    placed, limit = [0.0] * len(heights), bottom
    for index in sorted(range(len(heights)), key=lambda index: -heights[index]):
        placed[index] = min(heights[index], limit)
        limit = placed[index] - step
    return placed


def label_width(labels: Iterable[str]) -> int:
    """The room that the longest label needs on any device."""
    return math.ceil(CHARACTER_WIDTH * max(map(len, labels)))


class Plot:
    """A plot area: maps data to drawing units and collects elements.

    :param x, y: lower and upper end of the axes
    :param margins: left, right, top, bottom
    :param y_scale: what heights are linear in
    """

    def __init__(
        self,
        *,
        width: int,
        height: int,
        x: tuple[float, float],
        y: tuple[float, float],
        margins: tuple[int, int, int, int],
        y_scale: Callable[[float], float] = float,
    ):
        self.width, self.height = width, height
        self.left, self.right = margins[0], width - margins[1]
        self.top, self.bottom = margins[2], height - margins[3]
        self._x, self._y, self._y_scale = x, y, y_scale
        self._elements: list[str] = []

    def x(self, value: float) -> float:
        low, high = self._x
        return self.left + (value - low) / ((high - low) or 1) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high, value = map(self._y_scale, (*self._y, value))
        return self.bottom - (value - low) / ((high - low) or 1) * (self.bottom - self.top)

    def add(self, name: str, content: str = "", **attributes):
        self._elements.append(element(name, content, **attributes))

    def horizontal(self, value: float, class_: str):
        self.add("line", x1=self.left, x2=self.right, y1=self.y(value), y2=self.y(value), class_=class_)

    def text(self, x: float, y: float, text: str, class_: str = "tick", anchor: str = "middle"):
        self.add("text", escape(text), x=x, y=y, class_=class_, text_anchor=anchor)

    def y_axis(self, count: int = 5):
        """Draws grid lines with numbers on their left."""
        for tick in ticks(*self._y, count):
            self.horizontal(tick, "grid")
            self.text(self.left - 7, self.y(tick) + 4, f"{tick:g}", anchor="end")

    def line(self, points: Sequence[tuple[float, float]], class_: str):
        text = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.add("polyline", points=text, class_=class_)

    def marker(self, x: float, y: float, shape: int, class_: str, title: str):
        """A circle, square or diamond (``shape`` 0, 1, 2) whose tooltip is ``title``."""
        centre_x, centre_y = self.x(x), self.y(y)
        tip = element("title", escape(title))
        if shape == 0:
            self.add("circle", tip, cx=centre_x, cy=centre_y, r=5, class_=class_)
            return
        turn = {"transform": f"rotate(45 {centre_x:.1f} {centre_y:.1f})"} if shape == 2 else {}
        self.add("rect", tip, x=centre_x - 4.5, y=centre_y - 4.5, width=9, height=9, class_=class_, **turn)

    def svg(self, label: str) -> str:
        """:param label: what the drawing shows, for those who cannot see it"""
        box = f"0 0 {self.width} {self.height}"
        return element("svg", "".join(self._elements), viewBox=box, role="img", aria_label=label)
