"""What was found, in one sentence and a few figures, computed from the records."""

from __future__ import annotations

from dataclasses import dataclass

from ctc_kd.report import names
from ctc_kd.report.record import Record
from ctc_kd.report.results import Results, best_on_dev


@dataclass(frozen=True)
class Figure:
    """One number of the page's head: what it is, the row, and how it compares."""

    label: str
    record: Record
    remarks: tuple[str, ...]


def headline(results: Results) -> str:
    """The best student (chosen on dev) against the CTC baseline and the teacher, by test WER."""
    best = best_on_dev(results.distilled)
    baseline, teacher = results.best("baseline", None), results.best("teacher", None)
    if best is None:
        known = [record for record in (teacher, baseline) if record]
        return "; ".join(f"{names.LONG[r.method]} has {names.wer(r.test.wer)} % WER on test" for r in known) + "."
    free = "" if best.uses_transcripts else ", trained without transcripts,"
    parts = [f"{names.row_name(best)}{free} reaches {names.wer(best.test.wer)} % WER on test"]
    if baseline:
        chance = abs(best.test.wer - baseline.test.wer) < results.chance(baseline)
        may_be = ", which may be chance" if chance else ""
        parts.append(f", {comparison(best, baseline)} the CTC baseline ({names.wer(baseline.test.wer)} %){may_be}")
    if teacher:
        parts.append(f"; the teacher has {names.wer(teacher.test.wer)} %")
    return "".join(parts) + "."


def comparison(record: Record, baseline: Record) -> str:
    """E.g. ``12 % relative below``."""
    if not baseline.test.wer:
        return "against"
    change = round(100 * (record.test.wer / baseline.test.wer - 1))
    return f"{abs(change)} % relative {'below' if change < 0 else 'above'}" if change else "level with"


def key_figures(results: Results) -> list[Figure]:
    """Teacher, baseline, the best student with and the best without transcripts, as far as they exist."""
    teacher, baseline = results.best("teacher", None), results.best("baseline", None)
    figures = [
        Figure(label, record, _size(record))
        for label, record in (("Teacher", teacher), ("CTC baseline", baseline))
        if record
    ]
    for label, transcripts in (("Best with transcripts", True), ("Best without transcripts", False)):
        best = best_on_dev([record for record in results.distilled if record.uses_transcripts == transcripts])
        if best:
            compared = (f"{comparison(best, baseline)} baseline",) if baseline else ()
            figures.append(Figure(label, best, (_short(best), *compared)))
    return figures


def _size(record: Record) -> tuple[str, ...]:
    return () if record.parameters is None else (f"{record.parameters / 1e6:.1f} M parameters",)


def _short(record: Record) -> str:
    name = names.SHORT[record.method]
    if record.parameter is not None:
        name += f" {names.parameter(record.method, record.parameter)}"
    return f"{name}, λ = {names.scale(record.weight)}"


def caution(results: Results) -> str:
    """How large a difference has to be, so that nobody reads chance as an effect."""
    record = results.best("baseline", None) or results.records[0]
    return (
        f"The test set has {names.count(record.test.words)} words: differences below about "
        f"{results.chance(record):.1f} points of WER may be chance (5 %, errors taken as independent), "
        "and every row is one training with one seed."
    )
