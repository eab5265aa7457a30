"""The report of one corpus: a folder with tables, figures and one HTML page, built from records alone."""

from __future__ import annotations

import json
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_text
from ctc_kd.report.record import Record, read_record, value_of


class ReportJob(Job):
    """Writes ``index.html`` (self-contained), ``table1.md, table2.md, figure1.svg, figure1.png`` and ``records.jsonl``.

    It also writes ``coverage.md`` and ``significance.md`` if the parameters of these names are given.

    :param title: headline of the page
    :param records: ``out_record`` of the rows; the grid may have holes
    :param coverage: ``out_coverage`` of the teacher's CoverageJob
    :param curves: row id -> learning curves (JSON) of its training
    :param lm_statistics: name -> Variable or number, shown as facts of the language model
    :param reference: ``published_reference(...)``: the paper's numbers of this corpus, or of another for orientation
    :param notes: sentences on data and training that a reader should know: as text, as a Variable, or as a text file
        with one sentence per line
    :param significance: ``out_significance`` of the SignificanceJob of test
    """

    def __init__(
        self,
        *,
        title: str,
        records: list[tk.Path],
        coverage: tk.Path | None = None,
        curves: dict[str, tk.Path] | None = None,
        lm_statistics: dict[str, tk.Variable | float] | None = None,
        reference: dict[str, Any] | None = None,
        notes: list[str | tk.Variable | tk.Path] | None = None,
        significance: tk.Path | None = None,
    ):
        self.title = title
        self.records = records
        self.coverage = coverage
        self.curves = curves or {}
        self.lm_statistics = lm_statistics or {}
        self.reference = reference
        self.notes = notes or []
        self.significance = significance
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 2, "time": 0.5}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.report.grid.coverage_table import coverage_markdown
        from ctc_kd.report.grid.figures import figure1
        from ctc_kd.report.grid.page import Page
        from ctc_kd.report.grid.results import Results
        from ctc_kd.report.grid.significance import read_significance
        from ctc_kd.report.grid.significance_table import significance_markdown
        from ctc_kd.report.grid.tables import table1_markdown, table2_markdown

        records = [read_record(path.get_path()) for path in self.records]
        significance = self.significance and read_significance(self.significance.get_path())
        results = Results(records, self.reference, significance)
        coverage = self.coverage and read_json(self.coverage.get_path())
        page = Page(
            title=self.title,
            results=results,
            coverage=coverage,
            curves={row: read_json(path.get_path()) for row, path in self.curves.items()},
            lm_statistics={name: value_of(value) for name, value in self.lm_statistics.items()},
            notes=[sentence for note in self.notes for sentence in _sentences(note)],
        )
        texts = {"table1.md": table1_markdown(results), "table2.md": table2_markdown(results)}
        if coverage:
            texts["coverage.md"] = coverage_markdown(coverage, results)
        if significance:
            texts["significance.md"] = significance_markdown(results)
        texts |= {"records.jsonl": _json_lines(results.records), "index.html": page.html()}
        target = self.out_report.get_path()
        with complete_folder(target) as folder:
            for name, text in texts.items():
                write_text(f"{folder}/{name}", text)
            figure1(results, folder)
        print(f"report of {len(results.records)} rows: {target}/index.html")


def _sentences(note: str | tk.Variable | tk.Path) -> list[str]:
    if not isinstance(note, tk.Path):
        return [value_of(note)]
    with open(note.get_path(), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def _json_lines(records: list[Record]) -> str:
    return "".join(json.dumps(record.to_json(), ensure_ascii=False) + "\n" for record in records)
