"""The report on alignment and decoders: a folder with tables, a picture and one HTML page."""

from __future__ import annotations

from typing import TypedDict

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.report.analysis import alignment, decoders
from ctc_kd.report.analysis.priors import Priors
from ctc_kd.report.analysis.rows import AnalysedRow, Errors, Rows
from ctc_kd.report.svg import element, note, sectioned

SETS = ("dev", "test")


class MeasuredRow(TypedDict):
    """
    :param label: what tables call the row; rows of one label differ only in their seed
    :param decoders: decoder -> ``dev`` and ``test`` -> counts (JSON) by ScoreJob or LabelErrorRateJob
    :param alignment: by AlignmentJob; None for the teacher
    """

    label: str
    seed: int | None
    decoders: dict[str, dict[str, tk.Path]]
    alignment: tk.Path | None


class AnalysisReportJob(Job):
    """Writes ``index.html`` (self-contained), ``decoders.md``, ``alignment.md``, ``priors.md`` and ``results.json``.

    :param title: headline of the page
    :param rows: in the order of the tables
    :param priors: ``out_significance`` of the contrasts of :mod:`ctc_kd.report.analysis.priors`
    """

    def __init__(self, *, title: str, rows: list[MeasuredRow], priors: tk.Path | None = None):
        self.title = title
        self.rows = rows
        self.priors = priors
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        results = [contents(row) for row in self.rows]
        rows = Rows([analysed(**result) for result in results])
        tables = {f"Error rates on {on}": decoders.rates_table(rows, on) for on in SETS}
        tables["Substitutions, deletions and insertions on test [%]"] = decoders.kinds_table(rows, "test")
        texts = [f"**{name}.** {' '.join(table.notes())}\n\n{table.markdown()}" for name, table in tables.items()]
        priors = self.priors and Priors(read_json(self.priors.get_path()))
        target = self.out_report.get_path()
        with complete_folder(target) as folder:
            write_json(f"{folder}/results.json", results)
            write_text(f"{folder}/decoders.md", "\n".join(filter(None, [decoders.summary(rows), *texts])))
            if rows.students:
                table = alignment.alignment_table(rows)
                write_text(f"{folder}/alignment.md", f"{' '.join(table.notes())}\n\n{table.markdown()}")
            if priors:
                write_text(f"{folder}/priors.md", f"{priors.note}\n\n{priors.markdown()}")
            write_text(f"{folder}/index.html", page(self.title, rows, priors))
        print(f"report of {len(results)} rows: {target}/index.html")


def contents(row: MeasuredRow) -> dict:
    """The same with contents instead of files."""
    decoders = {
        decoder: {on: read_json(path.get_path()) for on, path in counts.items()}
        for decoder, counts in row["decoders"].items()
    }
    return {**row, "decoders": decoders, "alignment": row["alignment"] and read_json(row["alignment"].get_path())}


def analysed(*, label: str, seed: int | None, decoders: dict, alignment: dict | None) -> AnalysedRow:
    """A row of :func:`contents`."""
    errors = {decoder: {on: Errors.of(found) for on, found in counts.items()} for decoder, counts in decoders.items()}
    return AnalysedRow(label, seed, errors, alignment)


def page(title: str, rows: Rows, priors: Priors | None) -> str:
    drawing = element("figure", decoders.picture(rows, "test"), class_="wide")
    lines = "Each line is a row. Where lines cross, the decoder decides which row is better."
    histograms = alignment.histograms(rows)
    offsets = "Percent of the labels that both say, by frames that the student says them later; all seeds together."
    sections = [
        ("Decoders", "Errors under each decoder", drawing + note(lines) + decoders.rates_table(rows, "test").html()),
        ("Prior", "Does the prior gain what a method gains?", priors.html() if priors else ""),
        ("Dev", "The same on dev", decoders.rates_table(rows, "dev").html()),
        ("Kinds", "Substitutions, deletions and insertions on test [%]", decoders.kinds_table(rows, "test").html()),
        ("Alignment", "Beside the teacher on test", alignment.alignment_table(rows).html() if rows.students else ""),
        ("Offsets", "When students say what the teacher says", histograms and histograms + note(offsets)),
    ]
    return sectioned(title, kicker="Alignment and decoders", lede=decoders.summary(rows), sections=sections)
