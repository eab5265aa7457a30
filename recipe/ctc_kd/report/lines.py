"""Tables of texts, some of them bold, in Markdown and HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from ctc_kd.report import names
from ctc_kd.report.svg import element

Cell = tuple[str, bool]
"""A text, and whether it is bold. Where the text has a new line, there is one on a page."""


def plain(*texts: str) -> list[Cell]:
    return [(text, False) for text in texts]


def table(
    first: str,
    columns: Mapping[str, tuple[str, str]],
    results: Mapping[str, Mapping[str, Any]],
    text_of: Callable[[str, Any], str],
) -> tuple[list[str], list[list[Cell]], str]:
    """Head, lines, and what the columns mean; only columns that have a value.

    :param first: heading of the names of the results
    :param columns: name -> heading and meaning
    """
    names = [name for name in columns if any(row.get(name) is not None for row in results.values())]
    head = [first, *(columns[name][0] for name in names)]
    lines = [plain(result, *(text_of(name, row.get(name)) for name in names)) for result, row in results.items()]
    return head, lines, " ".join(f"{columns[name][0]}: {columns[name][1]}." for name in names)


def markdown(head: Sequence[str], lines: Sequence[Sequence[Cell]]) -> str:
    cells = [[f"**{text}**" if bold else text for text, bold in line] for line in lines]
    return names.markdown(list(head), [[text.replace("\n", " ") for text in line] for line in cells])


def html(head: Sequence[str], lines: Sequence[Sequence[Cell]]) -> str:
    """The first cell of each line is its heading."""
    top = element("tr", "".join(element("th", escape(name)) for name in head))
    body = "".join(
        element("tr", element("th", first) + "".join(element("td", text) for text in others))
        for first, *others in (
            [element("b", _broken(text)) if bold else _broken(text) for text, bold in line] for line in lines
        )
    )
    return element("div", element("table", element("thead", top) + element("tbody", body)), class_="scroll columns")


def _broken(text: str) -> str:
    return escape(text).replace("\n", "<br/>")
