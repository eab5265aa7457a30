"""Differences in test WER that are more than chance, or not: as looked up, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctc_kd.report import names
from ctc_kd.report.cell import Cell
from ctc_kd.report.svg import grouped_rows

if TYPE_CHECKING:
    from ctc_kd.report.results import Results

LEVEL = 0.05
HEAD = ["Row", "λ", "Hyper-param.", "against baseline", "p", "against KD", "p"]


def row_key(method: str, weight: float | None) -> str:
    """What a row is called in ``SignificanceJob``: ``baseline``, ``all-l0.9``; its hyper-parameter is found on dev."""
    return method if weight is None else f"{method}-l{weight:g}"


def comparisons(groups: Iterable[tuple[str, float | None]]) -> dict[str, list[str]]:
    """``SignificanceJob(against=...)``: each student with the baseline, and with plain KD of its distillation scale.

    :param groups: ``(method, weight)`` of all rows that are scored on test
    """
    keys = {row_key(*group): group for group in groups}
    against = {}
    for key, (_, weight) in keys.items():
        others = [other for other in ("baseline", row_key("all", weight)) if other in keys and other != key]
        if weight is not None and others:
            against[key] = others
    return against


@dataclass(frozen=True)
class Difference:
    """In WER points, negative if the row is better; ``low, high``: the 95 % interval; ``p``: two-sided."""

    difference: float
    low: float
    high: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < LEVEL

    def __str__(self) -> str:
        """E.g. ``−2.13 [−3.04, −1.21]``."""
        # + 0.0 makes zero of minus zero
        difference, low, high = (f"{round(v, 2) + 0.0:+.2f}" for v in (self.difference, self.low, self.high))
        return f"{difference} [{low}, {high}]".replace("-", "−")


class Significance:
    """The differences of the rows that dev chose.

    :param data: ``SignificanceJob.out_significance``
    :param chosen: the cells of the tables
    :raises ValueError: its WER of a row is not that of the row's records: they are not of the same hypotheses
    """

    def __init__(self, data: dict, chosen: Sequence[Cell]):
        self.samples, self.speakers, self.reliable = data["samples"], data["speakers"], data["reliable"]
        cells = {row_key(cell.method, cell.weight): cell for cell in chosen}
        for key, wer in data["wer"].items():
            found = cells[key].test if key in cells else None
            if found is None or abs(found.wer - wer) > 1e-6:
                raise ValueError(
                    f"row {key} has {wer:.4f} % WER in the test of significance, "
                    f"{f'{found.wer:.4f} %' if found else 'none'} in the records: both need the hypotheses of test "
                    "of the row that dev chose, with all its seeds"
                )
        self._differences = {
            (entry["row"], entry["against"]): Difference(*(entry[name] for name in ("difference", "low", "high", "p")))
            for entry in data["comparisons"]
        }

    def against(self, cell: Cell, method: str) -> Difference | None:
        """:param method: ``"baseline"``, or ``"all"`` for plain KD with the same distillation scale"""
        other = row_key(method, None if method == "baseline" else cell.weight)
        return self._differences.get((row_key(cell.method, cell.weight), other))


def compared(results: Results) -> list[Cell]:
    """The rows that are compared with others, by method and distillation scale."""
    groups = [(method, weight) for method in names.SHORT for weight in results.weights]
    cells = [cell for group in groups if (cell := results.best(*group))]
    return [cell for cell in cells if any(results.significance.against(cell, other) for other in ("baseline", "all"))]


def significance_note(results: Results) -> str:
    found = results.significance
    text = (
        "Difference in test WER points (negative: the row is better) with its 95 % interval, and the two-sided p of "
        f"each comparison alone; bold: p < {LEVEL}. Paired bootstrap with {names.count(found.samples)} samples of the "
        f"{found.speakers} speakers of test: it covers chance in the choice of speakers, not in training."
    )
    return text if found.reliable else f"{text} {few_speakers(found)}"


def few_speakers(found: Significance) -> str:
    return f"With {found.speakers} speakers the intervals are not reliable."


def significance_markdown(results: Results) -> str:
    lines, bold = [], "**{}**".format
    for cell in compared(results):
        lines.append([*_label(cell), *_differences(results, cell, bold)])
    table = names.markdown(HEAD, lines)
    return f"**Significance** on {results.corpus}. {significance_note(results)}\n\n{table}"


def significance_html(results: Results) -> str:
    rows = []
    for cell in compared(results):
        label, *texts = [*_label(cell), *_differences(results, cell, "<b>{}</b>".format)]
        rows.append((label, "".join(f"<td>{text}</td>" for text in texts)))
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    table = f'<table class="wer"><thead><tr>{head}</tr></thead><tbody>{grouped_rows(rows)}</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def _label(cell: Cell) -> list[str]:
    return [names.SHORT[cell.method], names.scale(cell.weight), names.parameter(cell.method, cell.parameter)]


def _differences(results: Results, cell: Cell, bold) -> list[str]:
    """Difference and p against the baseline, then against KD."""
    texts = []
    for method in ("baseline", "all"):
        found = results.significance.against(cell, method)
        pair = (str(found), p_value(found.p)) if found else (names.DASH, names.DASH)
        texts += map(bold, pair) if found and found.significant else pair
    return texts


def p_value(p: float) -> str:
    """Three decimals; a p of 0 only says that no sample was on the other side."""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
