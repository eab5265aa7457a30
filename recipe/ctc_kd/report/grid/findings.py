"""What was found, in one sentence and a few figures, computed from the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctc_kd.methods import METHODS
from ctc_kd.report import names
from ctc_kd.report.grid.cell import Cell, best_on_dev
from ctc_kd.report.grid.results import Results, chance
from ctc_kd.report.grid.significance import Difference, Significance, few_speakers
from ctc_kd.report.grid.significance_table import compared


@dataclass(frozen=True)
class Figure:
    """One number of the page's head: what it is, the cell, and how it compares."""

    label: str
    cell: Cell
    remarks: tuple[str, ...]


def headline(results: Results) -> str:
    """Compares the best student (chosen on dev) with the CTC baseline and the teacher, in one sentence.

    The WER is that of test, or that of dev if one of them has no test score.
    """
    best = best_on_dev(results.distilled)
    baseline, teacher = results.best("baseline", None), results.best("teacher", None)
    known = [cell for cell in (best, teacher, baseline) if cell]
    on = "test" if all(cell.test for cell in known) else "dev"
    wer = {cell.method: names.wer(getattr(cell, on).wer) for cell in known}
    if best is None:
        return (
            "; ".join(f"{METHODS[cell.method].long} has {wer[cell.method]} % {results.rate} on {on}" for cell in known)
            + "."
        )
    free = "" if best.uses_transcripts else ", trained without transcripts,"
    parts = [f"{names.row_name(best)}{free} reaches {wer[best.method]} % {results.rate} on {on}"]
    if baseline:
        may_be = ", which may be chance" if _may_be_chance(results, best, baseline, on) else ""
        parts.append(f", {comparison(best, baseline, on)} the CTC baseline ({wer['baseline']} %){may_be}")
    if teacher:
        parts.append(f"; the teacher has {wer['teacher']} %")
    return "".join(parts) + "."


def _may_be_chance(results: Results, cell: Cell, baseline: Cell, on: str) -> bool:
    if on == "test" and results.significance and (found := results.significance.decisive(cell, "baseline")):
        return not found.significant
    score = getattr(baseline, on)
    return abs(getattr(cell, on).wer - score.wer) < chance(score)


def comparison(cell: Cell, baseline: Cell, on: str = "test") -> str:
    """E.g. ``12 % relative below``."""
    base = getattr(baseline, on).wer
    if not base:
        return "against"
    change = round(100 * (getattr(cell, on).wer / base - 1))
    return f"{abs(change)} % relative {'below' if change < 0 else 'above'}" if change else "level with"


def key_figures(results: Results) -> list[Figure]:
    """The teacher, the baseline, and the best students with and without transcripts, as far as they exist."""
    teacher, baseline = results.best("teacher", None), results.best("baseline", None)
    figures = [
        Figure(label, cell, _size(cell)) for label, cell in (("Teacher", teacher), ("CTC baseline", baseline)) if cell
    ]
    for label, transcripts in (("Best with transcripts", True), ("Best without transcripts", False)):
        best = best_on_dev([cell for cell in results.distilled if cell.uses_transcripts == transcripts])
        if best:
            comparable = baseline and baseline.test and best.test
            compared_to = (f"{comparison(best, baseline)} baseline",) if comparable else ()
            figures.append(Figure(label, best, (names.short_name(best), *compared_to)))
    return figures


def _size(cell: Cell) -> tuple[str, ...]:
    return () if cell.num_parameters is None else (f"{cell.num_parameters / 1e6:.1f} M parameters",)


def caution(results: Results) -> str:
    """How large a difference has to be, so that nobody reads chance as an effect."""
    found = results.significance
    differences = [found.decisive(cell, "baseline") for cell in compared(results)] if found else []
    differences = [difference for difference in differences if difference]
    return f"{_tested(found, differences) if differences else _independent(results)} {_trainings(results)}"


def silent_trainings(results: Results) -> str:
    """Names the rows whose training may not have begun to speak; empty if there is none."""
    rows = [
        record.row
        for record in results.records
        if 4 * (record.dev.words - record.dev.substitutions - record.dev.deletions) < record.dev.words
    ]
    if not rows:
        return ""
    return (
        f"Less than a quarter of the {results.unit} of dev are right in what {', '.join(rows)} wrote. Such a training "
        "may still be where all frames are blank; try smaller learning rates with more epochs."
    )


def _tested(found: Significance, differences: Sequence[Difference]) -> str:
    """How many students differ from the baseline."""
    training = "training and in " if found.num_paired else ""
    text = (
        f"{sum(difference.significant for difference in differences)} of {len(differences)} students differ from the "
        f"CTC baseline by more than chance in {training}the choice of test speakers (5 %, corrected for the number of "
        "comparisons)."
    )
    return (
        f"{text} {few_speakers(found.speakers, found.num_comparisons)}"
        if found.exact and not found.num_paired
        else text
    )


def _independent(results: Results) -> str:
    cells = sorted(results.cells, key=lambda cell: cell.method != "baseline")
    on, score = next((("test", cell.test) for cell in cells if cell.test), ("dev", cells[0].dev))
    return (
        f"The {on} set has {names.count(score.words)} {results.unit}: differences below about {chance(score):.1f} "
        f"points of {results.rate} may be chance (5 %, errors taken as independent)."
    )


def _trainings(results: Results) -> str:
    seeds = {len(cell.seeds) for cell in results.cells if cell.method != "teacher"} or {1}
    if seeds == {1}:
        return "Every row is one training with one seed."
    low, high = min(seeds), max(seeds)
    return f"Rows are means over {low} to {high} seeds." if low != high else f"Rows are means over {low} seeds."
