"""Error rates of rows under several decoders: tables, and a picture of how their order changes."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ctc_kd.report import names
from ctc_kd.report.analysis.rows import AnalysedRow, Errors, Rows
from ctc_kd.report.named_lines import named_lines
from ctc_kd.report.students import Column, Table


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
        label: [
            (position, value)
            for position, decoder in enumerate(rows.decoders)
            if (value := rows.mean(label, partial(error_rate, decoder=decoder, on=on))[0]) is not None
        ]
        for label in rows.groups
    }
    plot = named_lines(
        lines,
        heading=f"error rate on {on} [%]",
        places={position: DECODERS[decoder].heading for position, decoder in enumerate(rows.decoders)},
        in_ink=rows.teachers,
    )
    return plot.svg(f"Error rate on {on} by decoder, a line for each of {len(lines)} rows")
