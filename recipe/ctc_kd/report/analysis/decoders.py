"""Error rates of rows under several decoders: tables, and a picture of how their order changes."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ctc_kd.report import names
from ctc_kd.report.analysis.rows import AnalysedRow, Errors, Rows
from ctc_kd.report.students import Column, Table
from ctc_kd.report.svg import LINE_HEIGHT, Plot, label_width, spread_out


class Decoder(NamedTuple):
    """
    :param heading: in tables and below the picture
    :param meaning: a sentence without its end
    """

    heading: str
    meaning: str


DECODERS = {
    "labels": Decoder("labels", "the best path against the labels of the transcripts"),
    "best path": Decoder("best path", "the words that the best path spells"),
    "lexicon": Decoder("lexicon", "the best words of the lexicon, without n-gram and prior"),
    "no prior": Decoder("n-gram", "with the n-gram, whose scale dev chose, at prior scale 0"),
    "tuned": Decoder("n-gram, prior", "with both scales chosen on dev"),
}
"""In the order in which each knows more than the one before."""


def error_rate(row: AnalysedRow, *, decoder: str, on: str, kind: str = "rate") -> float | None:
    errors = row.errors.get(decoder)
    return errors and getattr(errors[on], kind)


def rates_table(rows: Rows, on: str) -> Table:
    """:param on: ``"dev"`` or ``"test"``"""
    columns = {
        decoder: (
            Column(f"{DECODERS[decoder].heading} [%]", DECODERS[decoder].meaning),
            partial(error_rate, decoder=decoder, on=on),
        )
        for decoder in rows.decoders
    }
    return rows.table(columns, rows.groups)


def kinds_table(rows: Rows, on: str) -> Table:
    """Substitutions, deletions and insertions, in percent of what the references have."""
    columns = {
        f"{decoder} {kind}": (
            Column(f"{DECODERS[decoder].heading}: {kind[:3]}.", meaning="", best=""),
            partial(error_rate, decoder=decoder, on=on, kind=kind),
        )
        for decoder in rows.decoders
        for kind in Errors._fields[1:]
    }
    return rows.table(columns, rows.groups)


def summary(rows: Rows) -> str:
    """Which student is best under each decoder, chosen on dev."""
    parts = []
    for decoder in rows.decoders:
        rates = {label: rows.mean(label, partial(error_rate, decoder=decoder, on="dev"))[0] for label in rows.students}
        rates = {label: rate for label, rate in rates.items() if rate is not None}
        if rates:
            best = min(rates, key=rates.__getitem__)
            rate, _ = rows.mean(best, partial(error_rate, decoder=decoder, on="test"))
            parts.append(f"{DECODERS[decoder].heading}: {best} ({names.wer(rate)} % on test)")
    return f"The best student on dev by decoder: {'; '.join(parts)}." if parts else ""


def picture(rows: Rows, on: str) -> str:
    """A line for each row over the decoders; parallel lines would say that the decoder does not matter."""
    lines = {
        label: [rows.mean(label, partial(error_rate, decoder=decoder, on=on))[0] for decoder in rows.decoders]
        for label in rows.groups
    }
    values = [value for line in lines.values() for value in line if value is not None]
    pad = max(0.06 * (max(values) - min(values)), 0.2)
    last = len(rows.decoders) - 1
    right = 18 + label_width(lines)
    plot = Plot(
        width=450 + right,
        height=max(340, LINE_HEIGHT * (len(lines) + 4)),
        x=(0, max(last, 1)),
        y=(max(0, min(values) - pad), max(values) + pad),
        margins=(44, right, 30, 30),
    )
    plot.y_axis()
    plot.text(4, 14, f"error rate on {on} [%]", anchor="start")
    for position, decoder in enumerate(rows.decoders):
        plot.text(plot.x(position), plot.bottom + 18, DECODERS[decoder].heading)
    ends = [next((value for value in reversed(line) if value is not None), 0.0) for line in lines.values()]
    heights = spread_out([plot.y(end) for end in ends], LINE_HEIGHT, plot.bottom)
    for number, ((label, line), height) in enumerate(zip(lines.items(), heights, strict=True)):
        colour = "ink" if label in rows.teachers else f"c{number % 5}"
        points = [(position, value) for position, value in enumerate(line) if value is not None]
        plot.line(points, f"line {colour}")
        for position, value in points:
            title = f"{label}, {DECODERS[rows.decoders[position]].heading}: {names.wer(value)} %"
            plot.marker(position, value, number % 3, f"mark {colour}", title)
        leader = f"{plot.right:.1f},{plot.y(ends[number]):.1f} {plot.right + 14:.1f},{height:.1f}"
        plot.add("polyline", points=leader, class_=f"line train {colour}")
        plot.text(plot.right + 18, height + 4, label, class_=f"label {colour}", anchor="start")
    return plot.svg(f"Error rate on {on} by decoder, a line for each of {len(lines)} rows")
