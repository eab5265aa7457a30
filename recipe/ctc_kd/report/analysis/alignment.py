"""How the spikes of students lie beside their teacher's: a table, and a histogram for each row."""

from __future__ import annotations

from collections import Counter
from html import escape

from ctc_kd.report import names
from ctc_kd.report.analysis.rows import AnalysedRow, Rows
from ctc_kd.report.students import Column, Table
from ctc_kd.report.svg import Plot, element


class Signed(Column):
    def text(self, value: float | None) -> str:
        return names.points(value)


SILENT, NONE_IN_COMMON = "the teacher says no label", "no label is said by both"
COLUMNS = {
    "share": Column("frames [%]", "frames with the teacher's best label", "max"),
    "spike_error": Column(
        "spike error [%]", "of the teacher's label frames, those with another best label", gap=SILENT
    ),
    "missed": Column("blank there [%]", "those in which it is blank", "", gap=SILENT),
    "blank_surplus": Signed("blank [points]", "share of blank frames minus the teacher's", ""),
    "exact": Column(
        "same frame [%]", "of the labels that both say, those in the same frame", "max", gap=NONE_IN_COMMON
    ),
    "within_one": Column("±1 [%]", "those at most one frame away", "max", gap=NONE_IN_COMMON),
    "mean_offset": Signed(
        "later [frames]", "by how much the student says them later, on average", "", gap=NONE_IN_COMMON
    ),
    "label_errors": Column("label errors [%]", "of the teacher's labels", gap=SILENT),
    "substitutions": Column("sub. [%]", "of these errors, substitutions", "", gap=SILENT),
    "deletions": Column("del. [%]", "deletions", "", gap=SILENT),
    "insertions": Column("ins. [%]", "insertions", "", gap=SILENT),
}
COUNTED = ("substitutions", "deletions", "insertions")
FARTHEST = 3
"""In frames; the outer bars of a histogram have all that is farther, too."""


def figure(row: AnalysedRow, name: str) -> float | None:
    """A number of a row's alignment; counts of errors in percent of the teacher's labels."""
    value = row.alignment[name]
    if name in COUNTED:
        return 100 * value / row.alignment["labels"] if row.alignment["labels"] else None
    return value


def alignment_table(rows: Rows) -> Table:
    columns = {name: (column, lambda row, name=name: figure(row, name)) for name, column in COLUMNS.items()}
    return rows.table(columns, rows.students)


def histograms(rows: Rows) -> str:
    """Small drawings side by side: the share of labels by frames that the student is late."""
    panels = []
    for label in rows.students:
        counts = Counter()
        for row in rows.groups[label]:
            for offset, number in row.alignment["offsets"].items():
                counts[max(-FARTHEST, min(FARTHEST, int(offset)))] += number
        if counts:
            panels.append(element("figure", element("figcaption", escape(label)) + _histogram(label, counts)))
    return element("div", "".join(panels), class_="panels") if panels else ""


def _histogram(label: str, counts: Counter) -> str:
    shares = {offset: 100 * counts[offset] / counts.total() for offset in range(-FARTHEST, FARTHEST + 1)}
    plot = Plot(width=220, height=130, x=(-FARTHEST - 0.5, FARTHEST + 0.5), y=(0, 100), margins=(8, 8, 20, 24))
    for offset, share in shares.items():
        x, top = plot.x(offset), plot.y(share)
        plot.add("rect", x=x - 11, y=top, width=22, height=max(plot.bottom - top, 0.5), class_="bar")
        plot.text(x, top - 4, f"{share:.0f}")
        beyond = {-FARTHEST: "≤", FARTHEST: "≥"}.get(offset, "")
        plot.text(x, plot.bottom + 15, f"{beyond}{offset:+d}".replace("-", "−") if offset else "0")
    told = ", ".join(f"{offset:+d}: {names.wer(share)} %" for offset, share in shares.items())
    return plot.svg(f"Labels of {label} by frames later than the teacher: {told}")
