"""How methods, parameters, numbers and tables are written in Markdown and on the page."""

from __future__ import annotations

from typing import Protocol

from ctc_kd.methods import METHODS

DASH = "–"


class Row(Protocol):
    """A record, or a cell of the grid."""

    method: str
    parameter: float | None
    weight: float | None


def wer(value: float | None) -> str:
    """One decimal, as in the paper."""
    return DASH if value is None else f"{value:.1f}"


def spread(deviation: float | None) -> str:
    """The text behind a mean over seeds: `` ± 0.12``; empty for one seed."""
    return "" if deviation is None else f" ± {deviation:.2f}"


def points(value: float | None) -> str:
    """A difference: ``−2.13``, ``+0.40``; never minus zero."""
    return DASH if value is None else f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def scale(value: float | None) -> str:
    return DASH if value is None else f"{value:g}" if value % 1 else f"{value:.1f}"


def parameter(method: str, value: float | None) -> str:
    """E.g. ``n = 2``."""
    return DASH if value is None else f"{METHODS[method].parameter.symbol} = {value:g}"


def row_name(row: Row) -> str:
    """E.g. ``Symmetric selection with n = 2 at λ = 1.0``."""
    name = METHODS[row.method].long
    if row.parameter is not None:
        name += f" with {parameter(row.method, row.parameter)}"
    if row.weight is not None:
        name += f" at λ = {scale(row.weight)}"
    return name


def short_name(row: Row) -> str:
    """E.g. ``Symmetric n = 2, λ = 1.0``."""
    name = METHODS[row.method].short
    if row.parameter is not None:
        name += f" {parameter(row.method, row.parameter)}"
    return name if row.weight is None else f"{name}, λ = {scale(row.weight)}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return DASH
    minutes, hours = seconds / 60, seconds / 3600
    return f"{hours:.1f} h" if hours >= 2 else f"{minutes:.1f} min" if minutes >= 2 else f"{seconds:.0f} s"


def count(value: int | None) -> str:
    """With thin spaces between thousands."""
    return DASH if value is None else f"{value:,}".replace(",", "\u2009")


def percent(share: float | None, digits: int = 1) -> str:
    return DASH if share is None else f"{100 * share:.{digits}f} %"


def markdown(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table, in which all columns but the first are right-aligned."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, rule, *lines])
