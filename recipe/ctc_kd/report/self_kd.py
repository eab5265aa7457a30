"""The report on self-distillation: a table beside the paper's numbers, what may be chance, and alignments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.report import lines, names
from ctc_kd.report.analysis import alignment
from ctc_kd.report.analysis.job import MeasuredRow, analysed, contents
from ctc_kd.report.analysis.rows import AnalysedRow, Rows
from ctc_kd.report.grid.significance import p_value, too_few_speakers
from ctc_kd.report.students import Column, Table
from ctc_kd.report.svg import note, sectioned

TUNED, GREEDY = "n-gram", "best path"
"""The decoders of a row: words with tuned scales, and labels without language model."""

CHANCE = (
    "Points of the error rate on test; negative means that the model is better. Interval and p are over seeds and "
    "speakers, or over speakers alone for one seed. Holm is p, corrected for the number of comparisons."
)


class Millions(Column):
    def text(self, value: float | None) -> str:
        return names.DASH if value is None else f"{value:.2f}"


class SelfKdReportJob(Job):
    """Writes ``index.html`` (self-contained), ``table.md``, ``alignment.md``, ``significance.md`` and ``results.json``.

    :param title: headline of the page
    :param rate: what the errors of the tuned search are called
    :param rows: in the order of the table, with the decoders :data:`TUNED` and :data:`GREEDY`
    :param students: labels of the rows that compete
    :param parameters: label -> number of parameters
    :param papers: label -> the paper's WER [%], which is of other data
    :param significance: ``SignificanceJob.out_significance`` of test
    :param notes: sentences that a reader should know
    """

    def __init__(
        self,
        *,
        title: str,
        rate: str,
        rows: list[MeasuredRow],
        students: list[str],
        parameters: dict[str, tk.Variable],
        papers: dict[str, float],
        significance: tk.Path,
        notes: list[str],
    ):
        self.title = title
        self.rate = rate
        self.rows = rows
        self.students = students
        self.parameters = parameters
        self.papers = papers
        self.significance = significance
        self.notes = notes
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        results = [contents(row) for row in self.rows]
        rows = Rows([analysed(**result) for result in results])
        table = self._table(rows)
        beside = replace(alignment.alignment_table(rows), teachers=table.teachers)
        tested = read_json(self.significance.get_path())
        compared, chance = comparisons(tested), f"{CHANCE} {too_few_speakers(tested)}".strip()
        target = self.out_report.get_path()
        with complete_folder(target) as folder:
            write_json(f"{folder}/results.json", results)
            write_text(f"{folder}/table.md", f"{table.markdown()}\n{' '.join([*table.notes(), *self.notes])}\n")
            write_text(f"{folder}/alignment.md", f"{beside.markdown()}\n{' '.join(beside.notes())}\n")
            write_text(f"{folder}/significance.md", f"{lines.markdown(*compared)}\n{chance}\n")
            significance = lines.html(*compared) + note(chance)
            write_text(f"{folder}/index.html", self._page(rows, table, beside, significance))
        print(table.markdown())
        print(f"report of {len(results)} models: {target}/index.html")

    def _table(self, rows: Rows) -> Table:
        columns: dict[str, tuple[Column, Callable[[AnalysedRow], float | None]]] = {
            "parameters": (
                Millions("parameters [M]", "of the model that is measured", ""),
                lambda row: self.parameters[row.label].get() / 1e6,
            ),
            "greedy": (
                Column("test LER [%]", "label errors of the best path, without language model"),
                lambda row: row.errors[GREEDY]["test"].rate,
            ),
        }
        for on in ("dev", "test"):
            meaning = "" if on == "test" else f"{self.rate} has the scales that are best on dev"
            columns[on] = (Column(f"{on} {self.rate} [%]", meaning), lambda row, on=on: row.errors[TUNED][on].rate)
        for kind in ("substitutions", "deletions", "insertions"):
            columns[kind] = (
                Column(f"{kind[:3]}. [%]", f"{kind} on test", ""),
                lambda row, kind=kind: getattr(row.errors[TUNED]["test"], kind),
            )
        columns["paper"] = (Column("paper [%]", "", ""), lambda row: self.papers.get(row.label))
        table = rows.table(columns, rows.groups)
        spreads = {label: {**row, "parameters": None, "paper": None} for label, row in table.spreads.items()}
        return replace(table, teachers=[label for label in rows.groups if label not in self.students], spreads=spreads)

    def _page(self, rows: Rows, table: Table, beside: Table, significance: str) -> str:
        sections = [
            ("Models", "What the students learnt", table.html()),
            ("Significance", "What may be chance", significance),
            ("Alignment", "Beside the teacher on test", beside.html()),
            ("Offsets", "When students say what the teacher says", alignment.histograms(rows)),
            ("Notes", "What a reader should know", "".join(map(note, self.notes))),
        ]
        return sectioned(self.title, kicker="Frame-level self-distillation for CTC", sections=sections)


def comparisons(found: dict) -> tuple[list[str], list[list[lines.Cell]]]:
    """Head and lines of the table of differences.

    :param found: see ``SignificanceJob``
    """
    body = []
    for compared in found["comparisons"]:
        chance = compared.get("seeds") or compared
        interval = f"{names.points(chance['low'])} to {names.points(chance['high'])}"
        figures = [names.points(compared["difference"]), interval, p_value(chance["p"]), p_value(chance["holm"])]
        body.append(lines.plain(compared["row"], compared["against"], *figures))
    return ["model", "against", "difference", "95 % interval", "p", "Holm"], body
