"""The HTML page of a report: one file, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ctc_kd.report import names
from ctc_kd.report.grid import charts, findings, tables
from ctc_kd.report.grid.coverage_table import NOTE, coverage_facts, coverage_html
from ctc_kd.report.grid.details import data_facts, facts_list, record_list
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.significance_table import compared, significance_html
from ctc_kd.report.grid.wer_table import WerTable, legend
from ctc_kd.report.svg import document, element, note, prose

FOOT = (
    "This page is built from the records in records.jsonl. The tables are also in the files *.md, the figure in "
    "figure1.svg and figure1.png. The paper is B. Hilmes, N. Rossenbach, R. Schlüter, Analyzing the Importance of "
    "Blank for CTC-Based Knowledge Distillation, 2025, arXiv 2506.01503."
)
CURVES = "Losses over sub-epochs: strong lines are dev, faint lines are train."


@dataclass(frozen=True)
class Page:
    """Everything the page shows.

    :param coverage: ``CoverageJob.out_coverage``
    :param curves: row id -> epochs as in ``TrainJob.out_curves``
    :param lm_statistics: name -> number
    """

    title: str
    results: Results
    coverage: dict | None
    curves: dict[str, list[dict]]
    lm_statistics: dict[str, float]
    notes: list[str]

    def html(self) -> str:
        sections = [
            ("Table 1", "Teacher, baseline and standard distillation", self._table1()),
            ("Table 2", "Blank selection", self._table2()),
            ("Significance", "Which differences are more than chance", self._significance()),
            ("Figure 1", "How much blank to keep around the labels", self._figure1()),
            ("Coverage", "Share of the teacher’s frames that is distilled", self._coverage()),
            ("Curves", "Learning curves", self._curves()),
            ("Rows", "Every row in full", record_list(self.results)),
            ("Data", "Data and language model", self._data()),
        ]
        sections = [section for section in sections if section[2]]
        links = "".join(element("a", name, href=f"#{_anchor(name)}") for name, _, _ in sections)
        body = "".join(
            element("section", f'<p class="kicker">{name}</p><h2>{heading}</h2>{content}', id=_anchor(name))
            for name, heading, content in sections
        )
        return document(self.title, f"{self._head()}<nav>{links}</nav>{body}<footer>{FOOT}</footer>")

    def _head(self) -> str:
        tiles = "".join(_tile(figure) for figure in findings.key_figures(self.results))
        rate = self.results.rate
        text = (
            f"Large figures are {rate} on test. Students are chosen by {rate} on dev. {findings.caution(self.results)} "
            f"{findings.silent_trainings(self.results)}"
        )
        return (
            '<header><p class="kicker">CTC knowledge distillation with blank selection</p>'
            f'<h1>{escape(self.title)}</h1><p class="lede">{prose(findings.headline(self.results))}</p>'
            f'<div class="tiles">{tiles}</div>{note(text)}</header>'
        )

    def _table1(self) -> str:
        table = WerTable(self.results, tables.table1(self.results), has_parameter=False)
        text = (
            f"{self.results.rate} [%]. λ is the distillation scale; at 1.0 there is no CTC loss. "
            "The best student is bold. "
        )
        text += tables.paper_note(self.results) if self.results.reference else ""
        return table.html() + legend(self.results) + note(f"{text} {tables.seeds_note(self.results)}")

    def _table2(self) -> str:
        table = WerTable(self.results, tables.table2(self.results), has_parameter=True)
        return (
            table.html()
            + legend(self.results)
            + note(f"{tables.choice(self.results)} {tables.seeds_note(self.results)}")
        )

    def _significance(self) -> str:
        if self.results.significance is None or not compared(self.results):
            return ""
        return significance_html(self.results)

    def _figure1(self) -> str:
        drawing = charts.figure1(self.results)
        if not drawing:
            return ""
        text = (
            f"Dev {self.results.rate} [%]. n = 0 is blank elimination; the points on the far right are plain KD on all "
            "frames."
        )
        if any(map(self.results.paper_points, self.results.weights)):
            text += " Hollow points are the paper's."
        return charts.figure1_legend(self.results) + element("figure", drawing, class_="wide") + note(text)

    def _coverage(self) -> str:
        if self.coverage is None:
            return ""
        text = f"Bars show our share, ticks the paper’s. {NOTE}"
        return (
            coverage_html(self.coverage, self.results)
            + note(text)
            + facts_list(coverage_facts(self.coverage))
            + element("figure", charts.spike_lengths(self.coverage["spikes"]), class_="small")
        )

    def _curves(self) -> str:
        losses = charts.loss_names(list(self.curves.values()))
        drawings = [(row, charts.learning_curve(curve, losses, row)) for row, curve in self.curves.items()]
        panels = "".join(
            element("figure", element("figcaption", escape(row)) + drawing) for row, drawing in drawings if drawing
        )
        if not panels:
            return ""
        keys = "".join(
            f'<span><i class="key line {charts.loss_colour(index)}"></i>{escape(loss.upper().replace("_", " "))}</span>'
            for index, loss in enumerate(losses)
        )
        return element("p", keys, class_="legend") + element("div", panels, class_="panels") + note(CURVES)

    def _data(self) -> str:
        facts = {**data_facts(self.results), **{name: f"{value:.4g}" for name, value in self.lm_statistics.items()}}
        return facts_list(facts) + "".join(map(note, self.notes))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _tile(figure: findings.Figure) -> str:
    dev, test = figure.cell.dev, figure.cell.test
    dev_line = f"dev {names.wer(dev.wer)}{names.spread(dev.spread)} %"
    remark = "".join(f"<p>{prose(line)}</p>" for line in (dev_line, *figure.remarks))
    number = names.wer(test and test.wer) + (element("small", f"{names.spread(test.spread)} %") if test else "")
    return f'<div class="tile"><p>{figure.label}</p><strong>{number}</strong>{remark}</div>'
