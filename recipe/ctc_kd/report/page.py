"""The HTML page of a report: one file, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ctc_kd.report import charts, findings, names, tables
from ctc_kd.report.details import facts_list, record_table
from ctc_kd.report.results import Results
from ctc_kd.report.style import STYLE
from ctc_kd.report.svg import element

FREE = '<abbr class="free" title="trained without transcripts">∅</abbr>'


@dataclass(frozen=True)
class Page:
    """:param curves: row id -> list of epochs as in ``TrainJob.out_curves``"""

    title: str
    results: Results
    coverage: dict | None
    curves: dict[str, list[dict]]
    lm_statistics: dict[str, float]
    notes: list[str]

    def html(self) -> str:
        sections = [
            ("Table 1", "Teacher, baseline, and the two standard ways to distil", self._table1()),
            ("Table 2", "Blank selection", self._table2()),
            ("Figure 1", "How much blank to keep around the labels", self._figure1()),
            ("Coverage", "Share of frames that are distilled", self._coverage()),
            ("Curves", "Learning curves", self._curves()),
            ("Rows", "Every row in full", record_table(self.results)),
            ("Data", "Data and language model", self._data()),
        ]
        sections = [section for section in sections if section[2]]
        links = "".join(f'<a href="#{_anchor(name)}">{name}</a>' for name, _, _ in sections)
        body = "".join(
            f'<section id="{_anchor(name)}"><p class="kicker">{name}</p><h2>{heading}</h2>{content}</section>'
            for name, heading, content in sections
        )
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><title>{escape(self.title)}</title>'
            f"<style>{STYLE}</style></head><body><main>{self._head()}<nav>{links}</nav>{body}{self._foot()}</main>"
            "</body></html>\n"
        )

    def _head(self) -> str:
        tiles = "".join(
            f'<div class="tile"><p>{figure.label}</p><strong>{names.wer(figure.record.test.wer)}<small> %</small></strong>'
            f"<p>dev {names.wer(figure.record.dev.wer)} %</p><p>{escape(figure.remark)}</p></div>"
            for figure in findings.key_figures(self.results)
        )
        return (
            f'<header><p class="kicker">CTC knowledge distillation with blank selection</p><h1>{escape(self.title)}</h1>'
            f'<p class="lede">{escape(findings.headline(self.results))}</p>'
            f'<div class="tiles">{tiles}</div><p class="note">Word error rate on test. The best student is the one with '
            f"the lowest WER on dev. {escape(findings.caution(self.results))}</p></header>"
        )

    def _table1(self) -> str:
        return self._table(tables.table1(self.results), has_parameter=False) + self._table_notes()

    def _table2(self) -> str:
        return self._table(tables.table2(self.results), has_parameter=True) + element("p", tables.CHOICE, class_="note")

    def _table(self, rows: list[tables.Row], *, has_parameter: bool) -> str:
        strip = charts.Strip(self.results)
        paper = bool(self.results.reference)
        head = ["Model", "λ", *(["Hyper-param."] if has_parameter else []), "dev", "test"]
        cells = "".join(f"<th>{cell}</th>" for cell in head) + f'<th class="plot">{strip.axis()}</th>'
        if paper:
            columns = [*(["h.-p."] if has_parameter else []), "dev", "test"]
            cells += "".join(f'<th class="paper">{cell}</th>' for cell in columns)
            over = f'<tr class="over"><th colspan="{len(head) + 1}"></th>'
            over += f'<th class="paper" colspan="{len(columns)}">{escape(tables.paper_columns(self.results))}</th></tr>'
        best = tables.best_scores(rows)
        body = "".join(self._table_row(row, best, strip, has_parameter) for row in rows)
        return (
            f'<div class="scroll"><table class="wer"><thead>{over if paper else ""}<tr>{cells}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    def _table_row(self, row: tables.Row, best: dict[str, str], strip: charts.Strip, has_parameter: bool) -> str:
        record, paper = row.record, row.paper
        free = FREE if record and not record.uses_transcripts else ""
        mark = "†" if has_parameter and record and row.method in ("all", "eliminate") else ""
        cells = [f"<th>{row.label if row.first else ''}</th>", f"<td>{names.scale(row.weight)}{mark}{free}</td>"]
        if has_parameter:
            cells.append(f"<td>{names.parameter(row.method, record and record.parameter)}</td>")
        for name in tables.SETS:
            text = names.wer(record and getattr(record, name).wer)
            strong = ' class="best"' if record and row.is_student and text == best[name] else ""
            cells.append(f"<td{strong}>{text}</td>")
        cells.append(f'<td class="plot">{strip.draw(record) if record else ""}</td>')
        if self.results.reference:
            texts = [names.parameter(row.method, paper and paper.parameter)] if has_parameter else []
            texts += [names.wer(paper and getattr(paper, name)) for name in tables.SETS]
            cells += [f'<td class="paper">{text}</td>' for text in texts]
        return f"<tr{' class=first' if row.first else ''}>{''.join(cells)}</tr>"

    def _table_notes(self) -> str:
        legend = (
            '<p class="legend"><span><i class="key dev"></i>dev</span><span><i class="key test"></i>test</span>'
            '<span><i class="key baseline"></i>baseline, test</span><span><i class="key teacher"></i>teacher, test</span>'
            f"<span>{FREE} trained without transcripts</span></p>"
        )
        note = tables.paper_note(self.results) if self.results.reference else ""
        text = (
            f"WER [%] with {tables.LM}; λ is the distillation scale, at 1.0 there is no CTC loss. Bold: best student. "
        )
        return legend + element("p", escape(text + note), class_="note")

    def _figure1(self) -> str:
        drawing = charts.figure1(self.results)
        note = "Dev WER [%]. n = 0 is blank elimination; on the right, plain KD on all frames."
        return drawing and f'{charts.figure1_legend(self.results)}<figure>{drawing}</figure><p class="note">{note}</p>'

    def _coverage(self) -> str:
        if self.coverage is None:
            return ""
        lines = []
        for entry in self.coverage["selections"]:
            rule, parameter = entry["rule"], entry["parameter"]
            paper = self.results.paper_share(rule, parameter)
            cells = [names.parameter(rule, parameter), names.percent(entry["share"])]
            cells = f"<th>{names.LONG[rule]}</th>" + "".join(f"<td>{cell}</td>" for cell in cells)
            cells += f'<td class="plot">{charts.share_bar(entry["share"], paper)}</td>'
            lines.append(f'<tr>{cells}<td class="paper">{names.percent(paper, digits=0)}</td></tr>')
        head = '<tr><th>Selection</th><th>Hyper-param.</th><th>kept</th><th class="plot"></th><th class="paper">Paper</th></tr>'
        table = f'<table class="wer"><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table>'
        return f'<div class="scroll">{table}</div>{facts_list(tables.coverage_facts(self.coverage))}'

    def _curves(self) -> str:
        losses = charts.loss_names(list(self.curves.values()))
        drawings = {row: charts.learning_curve(curve, losses, row) for row, curve in self.curves.items()}
        panels = [
            f"<figure><figcaption>{escape(row)}</figcaption>{svg}</figure>" for row, svg in drawings.items() if svg
        ]
        keys = [f'<span><i class="key line c{index}"></i>{escape(loss)}</span>' for index, loss in enumerate(losses)]
        legend = f'<p class="legend">{"".join(keys)}<span>full: dev, faint: train</span></p>'
        return (
            panels and f'{legend}<div class="panels">{"".join(panels)}</div><p class="note">Loss over sub-epochs.</p>'
        )

    def _data(self) -> str:
        record = self.results.records[0]
        facts = {
            name: f"{names.count(score.words)} words, {names.count(score.utterances)} utterances"
            for name, score in (("Dev", record.dev), ("Test", record.test))
        }
        facts.update({name: f"{value:.4g}" for name, value in self.lm_statistics.items()})
        return facts_list(facts) + "".join(element("p", escape(note), class_="note") for note in self.notes)

    def _foot(self) -> str:
        count = len(self.results.records)
        return (
            f"<footer>Built from {count} records (records.jsonl, in this folder, with table1.md, table2.md, coverage.md and "
            "figure1). Paper: B. Hilmes, N. Rossenbach, R. Schlüter, Analyzing the Importance of Blank for CTC-Based "
            "Knowledge Distillation, 2025, arXiv 2506.01503.</footer>"
        )


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
