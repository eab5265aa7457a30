"""The table of differences in test WER, as Markdown and as HTML."""

from __future__ import annotations

from ctc_kd.methods import METHODS
from ctc_kd.report import names
from ctc_kd.report.grid.cell import Cell
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.significance import LEVEL, few_speakers
from ctc_kd.report.svg import grouped_rows

HEAD = ["Row", "λ", "Hyper-param.", "against baseline", "p", "against KD", "p"]


def compared(results: Results) -> list[Cell]:
    """The rows that are compared with others, in order of method and distillation scale."""
    groups = [(method, weight) for method in METHODS for weight in results.weights]
    cells = [cell for group in groups if (cell := results.best(*group))]
    return [cell for cell in cells if any(results.significance.against(cell, other) for other in ("baseline", "all"))]


def significance_note(results: Results) -> str:
    found = results.significance
    text = (
        "Each difference is in points of test WER (negative: the row is better), with its 95 % interval and the "
        f"two-sided p of this comparison alone; bold means p < {LEVEL}. The paired bootstrap draws "
        f"{names.count(found.samples)} samples of the {found.speakers} speakers of test, so it covers chance in the "
        "choice of speakers, but not in training."
    )
    return text if found.reliable else f"{text} {few_speakers(found)}"


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
    return [METHODS[cell.method].short, names.scale(cell.weight), names.parameter(cell.method, cell.parameter)]


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
