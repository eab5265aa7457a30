"""The report on what distillation bought: the size and speed of exported students against their accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.recognition.cost import ROUNDS
from ctc_kd.report import names
from ctc_kd.report.record import Record, Score
from ctc_kd.report.scatter import Dot, scatter
from ctc_kd.report.students import Column, Table
from ctc_kd.report.svg import element, note, sectioned

BUSY = 0.05
"""Share of the time for which a process on several threads may wait for a core and yet be called undisturbed."""


class CostReportJob(Job):
    """Writes ``index.html`` (self-contained), ``table.md``, and ``results.json``: name of the model -> its record.

    :param title: headline of the page
    :param records: ``MeasureStudentsJob.out_records``
    """

    def __init__(self, *, title: str, records: tk.Path):
        self.title = title
        self.records = records
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        records = read_json(self.records.get_path())
        bought = Bought({name: Record.from_json(record) for name, record in records.items()})
        target = self.out_report.get_path()
        tables = (
            f"**{heading}.**\n\n{table.markdown()}\n{' '.join(table.notes())}"
            for heading, table in bought.tables().items()
        )
        text = [bought.summary(), *tables, " ".join(bought.notes())]
        with complete_folder(target) as folder:
            write_json(f"{folder}/results.json", records)
            write_text(f"{folder}/table.md", "\n\n".join(filter(None, text)) + "\n")
            write_text(f"{folder}/index.html", bought.page(self.title))
        print(f"{bought.summary()}\n{target}/index.html")


class RealTimeFactor(Column):
    def text(self, value: float | None) -> str:
        """Three digits that count: models may differ by much."""
        return names.DASH if value is None else f"{value:#.3g}"


@dataclass(frozen=True)
class Bought:
    """
    :param records: name of a model -> its record with its cost; the teacher is one of them, or none
    """

    records: Mapping[str, Record]

    @cached_property
    def teachers(self) -> list[str]:
        return [name for name, record in self.records.items() if record.method == "teacher"]

    @cached_property
    def on(self) -> str:
        """The set that all models are scored on: test, or else dev."""
        return "test" if all(record.test for record in self.records.values()) else "dev"

    def score(self, record: Record) -> Score:
        return getattr(record, self.on)

    @property
    def first(self) -> Record:
        return next(iter(self.records.values()))

    def tables(self) -> dict[str, Table]:
        """Heading -> table: accuracy and size, then what a run on each number of threads took."""
        rate = self.first.dev.rate
        scores = {
            "dev": Column(f"dev {rate} [%]", "errors on dev, with the scales that are best there"),
            "test": Column(f"test {rate} [%]", "errors on test"),
            "parameters": Column("M parameters", "size of the model, in millions"),
            "megabytes": Column("MB", "its weights as exported"),
        }
        tables = {"Accuracy and size": self._table(scores, map(size_of, self.records.values()))}
        for number, run in enumerate(self.first.cost.runs):
            on = "one thread" if run.threads == 1 else f"{run.threads} threads"
            runs = (asdict(record.cost.runs[number]) for record in self.records.values())
            tables[f"Speed and memory on {on}"] = self._table(COLUMNS, runs)
        return tables

    def _table(self, columns: dict[str, Column], rows: Iterable[dict[str, float | None]]) -> Table:
        return Table(columns, dict(zip(self.records, rows, strict=True)), self.teachers)

    def summary(self) -> str:
        """What each student is beside the teacher, a sentence for each."""
        return " ".join(
            self.sentence(name, self.records[teacher])
            for teacher in self.teachers[:1]
            for name in self.records
            if name not in self.teachers
        )

    def sentence(self, name: str, teacher: Record) -> str:
        """E.g. ``The best student (Plain KD at λ = 1.0) is 3.0 times as fast as its teacher ...``."""
        student = self.records[name]
        ours, theirs = student.cost.runs[0], teacher.cost.runs[0]
        parts = [
            f"is {times(theirs.rtf / ours.rtf, 'fast', 'slow')} as its teacher on one thread",
            f"needs {100 * ours.peak_mib / theirs.peak_mib:.0f} % of its memory, libraries included",
            f"{more(self.score(student), self.score(teacher))} on {self.on}",
        ]
        subject = f"The {name[0].lower()}{name[1:]} ({names.row_name(student)})"
        return f"{subject} {parts[0]}, {parts[1]}, and {parts[2]}."

    def picture(self) -> str:
        """Error rate over real-time factor, a dot for each model."""
        dots, students = [], [name for name in self.records if name not in self.teachers]
        for name, record in self.records.items():
            rtf, score = record.cost.runs[0].rtf, self.score(record)
            title = f"{name}: {names.wer(score.wer)} % {score.rate}, real-time factor {rtf:#.3g}"
            colour = "ink" if name in self.teachers else f"c{students.index(name) % 5}"
            dots.append(Dot(rtf, score.wer, name, colour, title))
        rate = f"{self.first.dev.rate} on {self.on} [%]"
        return scatter(dots, x_label="real-time factor on one thread", y_label=rate)

    def notes(self) -> list[str]:
        cost = self.first.cost
        versions = ", ".join(f"{name} {version}" for name, version in cost.versions.items())
        libraries = ", ".join(
            f"{record.cost.runs[0].libraries_mib:.0f} MiB for {name}" for name, record in self.records.items()
        )
        found = [
            f"Measured on {cost.recordings} recordings of {cost.audio_s:.0f} s together, one at a time, the "
            f"fastest of {ROUNDS} rounds in which the models took turns, with {cost.processor}, {versions}.",
            "On one thread time is the processor's, on several that of the clock.",
            f"Python and its libraries have a part of the memory: {libraries}.",
        ]
        several = (run for record in self.records.values() for run in record.cost.runs if run.threads > 1)
        waited = max((run.waited for run in several), default=0.0)
        if waited > BUSY:
            found.append(
                f"Other programs used the machine: a process waited up to {100 * waited:.0f} % of its time for a core, "
                "so times on several threads are too long."
            )
        return found

    def page(self, title: str) -> str:
        figure = element("figure", self.picture(), class_="wide") + note(
            "Left is faster, down is more accurate. The real-time factor is that of the whole recogniser: seconds for "
            "a second of audio, from file to words."
        )
        tables = self.tables().items()
        sections = [
            ("Picture", "Accuracy against speed", figure),
            *((f"Table {number}", heading, table.html()) for number, (heading, table) in enumerate(tables, 1)),
            ("Notes", "How it was measured", "".join(map(note, self.notes()))),
        ]
        return sectioned(title, kicker="What distillation bought", lede=self.summary(), sections=sections)


COLUMNS = {
    "model_rtf": RealTimeFactor("RTF, acoustic model", "seconds for a second of audio, with features"),
    "rtf": RealTimeFactor("RTF", "the same from file to words"),
    "peak_mib": Column("memory [MiB]", "the most that the process had"),
}
"""Of a run."""


def size_of(record: Record) -> dict[str, float | None]:
    cost, test = record.cost, record.test and record.test.wer
    return {"dev": record.dev.wer, "test": test, "parameters": cost.parameters / 1e6, "megabytes": cost.megabytes}


def times(ratio: float, above: str, below: str) -> str:
    """E.g. ``2.0 times as fast`` for 2, ``2.0 times as slow`` for 0.5."""
    if f"{ratio:.1f}" == f"{1 / ratio:.1f}" == "1.0":
        return f"as {above}"
    return f"{ratio:.1f} times as {above}" if ratio > 1 else f"{1 / ratio:.1f} times as {below}"


def more(student: Score, teacher: Score) -> str:
    """E.g. ``makes 1.5 more errors in 100 words``."""
    difference = student.wer - teacher.wer
    number = f"{abs(difference):.1f}"
    how_many = "as many" if number == "0.0" else f"{number} {'more' if difference > 0 else 'fewer'}"
    return f"makes {how_many} errors in 100 {student.unit}"
