"""The report on the students of one teacher: a table of what was measured, and facts about the teacher."""

from __future__ import annotations

from dataclasses import dataclass, field

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.report import lines, names
from ctc_kd.report.grid.coverage_table import coverage_facts, coverage_shares
from ctc_kd.report.grid.details import facts_list
from ctc_kd.report.record import value_of
from ctc_kd.report.svg import note, sectioned


@dataclass(frozen=True)
class Column:
    """
    Attributes:
        heading: of the table, with its unit
        meaning: a sentence below the table, without its end; empty if the heading says it all
        best: ``"min"``, ``"max"``, or empty if no value is better than another
        factor: of the values, from what was measured to what is shown
        gap: why a value may be undefined; a sentence without its end, shown where one is
    """

    heading: str
    meaning: str
    best: str = "min"
    factor: float = 1.0
    gap: str = ""

    def text(self, value: float | None) -> str:
        return names.wer(value)


class StudentsReportJob(Job):
    """Writes ``index.html`` (self-contained), ``table.md`` and ``results.json``.

    :param title: headline of the page
    :param columns: name -> column, in the order of the table
    :param rows: name of a model, as the table shows it -> column -> number, or Variable; columns may be left out
    :param teachers: the rows that are not students; the others compete for the best value
    :param coverage: ``CoverageJob.out_coverage``: facts about the teacher's frames, and what share of them each
        selection distils
    :param notes: sentences that a reader should know
    """

    def __init__(
        self,
        *,
        title: str,
        columns: dict[str, Column],
        rows: dict[str, dict[str, tk.Variable | float]],
        teachers: list[str] | None = None,
        coverage: tk.Path | None = None,
        notes: list[str] | None = None,
    ):
        self.title = title
        self.columns = columns
        self.rows = rows
        self.teachers = teachers or []
        self.coverage = coverage
        self.notes = notes or []
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        results = {row: self._values(found) for row, found in self.rows.items()}
        measured = {name for row in results.values() for name in row}
        columns = {name: column for name, column in self.columns.items() if name in measured}
        coverage = read_json(self.coverage.get_path()) if self.coverage else None
        facts = coverage_facts(coverage) | coverage_shares(coverage) if coverage else {}
        table = Table(columns, results, self.teachers)
        target = self.out_report.get_path()
        with complete_folder(target) as folder:
            write_json(f"{folder}/results.json", results)
            write_text(f"{folder}/table.md", f"{table.markdown()}\n{' '.join(table.notes())}\n")
            write_text(f"{folder}/index.html", page(self.title, table, facts, self.notes))
        print(table.markdown())
        print(f"report of {len(results)} models: {target}/index.html")

    def _values(self, found: dict[str, tk.Variable | float]) -> dict[str, float | None]:
        """Column -> what is shown; None for what is undefined."""
        values = {name: value_of(value) for name, value in found.items()}
        return {name: None if value is None else value * self.columns[name].factor for name, value in values.items()}


@dataclass(frozen=True)
class Table:
    """
    :param spreads: model -> column -> sample standard deviation over seeds, where there are several
    """

    columns: dict[str, Column]
    rows: dict[str, dict[str, float | None]]
    teachers: list[str]
    spreads: dict[str, dict[str, float | None]] = field(default_factory=dict)

    def best(self, name: str) -> float | None:
        """The best value of a student; None if all students have the same, or none is better."""
        if not self.columns[name].best:
            return None
        students = [row for model, row in self.rows.items() if model not in self.teachers]
        values = [row[name] for row in students if row.get(name) is not None]
        if len(students) > 1 and values == values[:1] * len(students):
            return None
        return {"min": min, "max": max}[self.columns[name].best](values, default=None)

    def cells(self, model: str) -> list[tuple[str, bool]]:
        """Texts of a line, and whether each is the best of its column."""
        row, spreads = self.rows[model], self.spreads.get(model, {})
        return [
            (
                self.columns[name].text(value) + names.spread(spreads.get(name)),
                model not in self.teachers and value is not None and value == self.best(name),
            )
            for name, value in ((name, row.get(name)) for name in self.columns)
        ]

    def notes(self) -> list[str]:
        meanings = [f"{column.heading}: {column.meaning}." for column in self.columns.values() if column.meaning]
        undefined = {name for row in self.rows.values() for name, value in row.items() if value is None}
        gaps = {column.gap: None for name, column in self.columns.items() if name in undefined and column.gap}
        bold = ["The best student is bold."] if any(column.best for column in self.columns.values()) else []
        means = ["± is the standard deviation over seeds (divisor n − 1)."] if self._has_seeds() else []
        return [*meanings, *bold, *means, *(f"{names.DASH}: {gap}." for gap in gaps)]

    def _has_seeds(self) -> bool:
        return any(spread is not None for row in self.spreads.values() for spread in row.values())

    def markdown(self) -> str:
        head = ["Model", *(column.heading for column in self.columns.values())]
        return lines.markdown(head, self._lines())

    def html(self) -> str:
        head = ["", *(column.heading for column in self.columns.values())]
        return lines.html(head, self._lines()) + note(" ".join(self.notes()))

    def _lines(self) -> list[list[lines.Cell]]:
        return [[*lines.plain(model), *self.cells(model)] for model in self.rows]


def page(title: str, table: Table, facts: dict[str, str], notes: list[str]) -> str:
    sections = [
        ("Students", "What the students learnt", table.html()),
        ("Teacher", "What the students saw of their teacher", facts_list(facts) if facts else ""),
        ("Notes", "What a reader should know", "".join(map(note, notes))),
    ]
    return sectioned(title, kicker="CTC students", sections=sections)
