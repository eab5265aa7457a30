"""The table of differences in test WER, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Callable

from ctc_kd.methods import METHODS
from ctc_kd.report import names
from ctc_kd.report.grid.cell import Cell
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.significance import LEVEL, Difference, few_speakers
from ctc_kd.report.svg import element, grouped_rows, note

ROW = ["Row", "λ", "Hyper-param."]
OTHERS = {"baseline": "against baseline", "all": "against KD"}


def compared(results: Results) -> list[Cell]:
    """The rows that are compared with others, in order of method and distillation scale."""
    groups = [(method, weight) for method in METHODS for weight in (None, *results.weights)]
    cells = [cell for group in groups if (cell := results.best(*group))]
    return [cell for cell in cells if any(results.significance.against(cell, other) for other in OTHERS)]


def significance_note(results: Results) -> str:
    found = results.significance
    ways = f"all {names.count(2**found.speakers)}" if found.exact else f"{names.count(found.samples)} random"
    training = " here; the next table covers both" if found.num_paired else ""
    text = (
        f"Each difference is in points of test {results.rate} (negative: the row is better), with its 95 % interval "
        f"from {names.count(found.samples)} bootstrap samples of the {found.speakers} speakers of test. p is the share "
        f"of {ways} ways to swap the two rows, speaker by speaker, that differ by at least as much. Holm is p "
        f"corrected for the number of comparisons ({found.num_comparisons}); bold means that it is below {LEVEL}. All "
        f"this covers chance in the choice of speakers, but not in training{training}."
    )
    return f"{text} {few_speakers(found.speakers, found.num_comparisons)}" if found.exact else text


def seeds_note(results: Results) -> str:
    """What the table over seeds shows; empty if there is none."""
    found = results.significance
    if not found.num_paired:
        return ""
    return (
        "The same differences as means over seeds, each between two trainings with one seed, ± standard deviation "
        f"(divisor n − 1). The 95 % interval is that of {names.count(found.samples)} bootstrap samples of seeds and "
        "speakers, stretched for the small number of seeds; p is by Student's t over both. Holm is corrected for "
        f"{found.num_paired} comparisons. This covers chance in training, too."
    )


def significance_markdown(results: Results) -> str:
    found = results.significance
    text = f"**Significance** on {results.corpus}. {significance_note(results)}\n\n{_markdown(results, found.against)}"
    if found.num_paired:
        text += f"\n**Seeds.** {seeds_note(results)}\n\n{_markdown(results, found.paired)}"
    return text


def significance_html(results: Results) -> str:
    found = results.significance
    text = _html(results, found.against) + note(significance_note(results))
    return text + _html(results, found.paired) + note(seeds_note(results)) if found.num_paired else text


Find = Callable[[Cell, str], Difference | None]
"""The difference of a row from another one."""


def _markdown(results: Results, find: Find) -> str:
    lines = [
        [*_label(cell), *(text for other in OTHERS for text in _markdown_cells(find(cell, other)))]
        for cell in compared(results)
    ]
    head = [*ROW, *(name for against in OTHERS.values() for name in (against, "p", "Holm"))]
    return names.markdown(head, lines)


def _html(results: Results, find: Find) -> str:
    rows = []
    for cell in compared(results):
        label, *texts = _label(cell)
        texts += [text for other in OTHERS for text in _html_cells(find(cell, other))]
        rows.append((label, "".join(f"<td>{text}</td>" for text in texts)))
    over = '<th></th><th colspan="2"></th>' + "".join(f'<th colspan="3">{against}</th>' for against in OTHERS.values())
    head = "".join(f"<th>{name}</th>" for name in [*ROW, *["difference", "p", "Holm"] * len(OTHERS)])
    head = f'<thead><tr class="over">{over}</tr><tr>{head}</tr></thead>'
    return f'<div class="scroll"><table class="wer">{head}<tbody>{grouped_rows(rows)}</tbody></table></div>'


def _label(cell: Cell) -> list[str]:
    return [METHODS[cell.method].short, names.scale(cell.weight), names.parameter(cell.method, cell.parameter)]


def _markdown_cells(found: Difference | None) -> list[str]:
    if found is None:
        return [names.DASH] * 3
    difference, interval, p, holm = found.texts()
    cells = [f"{difference} {interval}", p, holm]
    return [f"**{text}**" for text in cells] if found.significant else cells


def _html_cells(found: Difference | None) -> list[str]:
    if found is None:
        return [names.DASH] * 3
    difference, interval, p, holm = found.texts()
    if found.significant:
        difference, holm = element("b", difference), element("b", holm)
    return [f"{difference} {element('small', interval)}", p, holm]
