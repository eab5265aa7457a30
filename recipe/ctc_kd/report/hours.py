"""Error rates over hours of audio, with and without transcripts: a table, a picture, and what an hour is worth."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.report import as_good, lines, names
from ctc_kd.report.named_lines import named_lines
from ctc_kd.report.record import read_record
from ctc_kd.report.svg import element, note, sectioned

LEAST = 0.1
"""Error rate in percent; pictures show smaller ones as this one, as 0 has no logarithm."""


class HoursReportJob(Job):
    """Writes ``index.html`` (self-contained), ``table.md`` and ``results.json``.

    :param title: headline of the page
    :param rate: what the errors are called
    :param budgets: name of what is held equal -> ``ExchangeJob.out_exchange``
    :param notes: sentences that a reader should know
    :param teacher: record of the teacher of all rows, whose errors limit theirs; None if it has none
    """

    __sis_hash_exclude__ = {"teacher": None}

    def __init__(
        self, *, title: str, rate: str, budgets: dict[str, tk.Path], notes: list[str], teacher: tk.Path | None = None
    ):
        self.title = title
        self.rate = rate
        self.budgets = budgets
        self.notes = notes
        self.teacher = teacher
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        found = {name: read_json(path.get_path()) for name, path in self.budgets.items()}
        teacher = read_record(self.teacher.get_path()).test.wer if self.teacher else None
        texts, sections = [], []
        for name, one in found.items():
            table, meaning = hours_table(one), note_of(one, teacher)
            texts.append(f"**{name}.** {meaning}\n\n{lines.markdown(*table)}")
            drawing = element("figure", picture(one, self.rate, teacher), class_="wide")
            sections.append((name, f"{self.rate} over hours", drawing + lines.html(*table) + note(meaning)))
        sections.append(("Notes", "What a reader should know", "".join(map(note, self.notes))))
        target = self.out_report.get_path()
        with complete_folder(target) as folder:
            write_json(f"{folder}/results.json", found)
            write_text(f"{folder}/table.md", "\n".join([*texts, " ".join(self.notes) + "\n"]))
            page = sectioned(self.title, kicker="Audio without transcripts", sections=sections)
            write_text(f"{folder}/index.html", page)
        print("\n".join(texts))
        print(f"report: {target}/index.html")


def hours_table(found: Mapping[str, Any]) -> tuple[list[str], list[list[lines.Cell]]]:
    """Head and lines: a line for each curve, with its error rates and the hours that are worth the target.

    :param found: content of ``ExchangeJob.out_exchange``
    """
    hours = sorted({point["hours"] for curve in found["curves"].values() for point in curve})
    body = []
    for label, curve in found["curves"].items():
        points = {point["hours"]: point for point in curve}
        crossing = found["crossings"].get(label)
        texts = [_rate(points.get(number)) for number in hours]
        worth = worth_text(crossing, hours=sorted(points)) if crossing else f"{found['target']:g}"
        body.append(lines.plain(label, *texts, worth))
    return ["", *(f"{number:g} h [%]" for number in hours), f"hours as good as {found['target']:g}"], body


def _rate(point: Mapping[str, Any] | None) -> str:
    if point is None:
        return names.DASH
    rates = point["rates"]
    spread = names.spread(statistics.stdev(rates) if len(rates) > 1 else None)
    return names.wer(statistics.fmean(rates)) + spread + as_good.sign(point)


def worth_text(crossing: Mapping[str, float | None], *, hours: list[float]) -> str:
    """``1.7 [0.9, > 4]``.

    :param hours: measured, ascending
    """
    found, low, high = (_hours(crossing[name], hours) for name in ("hours", "low", "high"))
    return f"{found} [{low}, {high}]"


def _hours(number: float | None, hours: list[float]) -> str:
    if number is None:
        return f"> {hours[-1]:g}"
    return f"≤ {hours[0]:g}" if number <= hours[0] else f"{float(f'{number:.2g}'):g}"


def note_of(found: Mapping[str, Any], teacher: float | None) -> str:
    tests = [point["equivalence"] for curve in found["curves"].values() for point in curve if "equivalence" in point]
    as_good_as = f"“{found['reference']}” at {found['target']:g} h"
    equal = f" ≈ means as good as {as_good_as}: {as_good.meaning(tests[0]['margin'])}." if tests else ""
    limit = "" if teacher is None else f" The teacher has {names.wer(teacher)} %."
    several = any(len(point["rates"]) > 1 for curve in found["curves"].values() for point in curve)
    means, over = ("Mean over seeds (± standard deviation). ", "seeds and ") if several else ("", "")
    return (
        f"{means}The last column has the hours at which a row has the error rate of {as_good_as}. In brackets are "
        f"these, and those that the 95 % interval of the difference over {over}{found['speakers']} speakers does not "
        f"exclude.{equal}{limit}"
    )


def picture(found: Mapping[str, Any], rate: str, teacher: float | None = None) -> str:
    """A line for each curve, both axes logarithmic; the target and the teacher are horizontal lines."""
    means = {
        label: [(math.log(point["hours"]), statistics.fmean(point["rates"])) for point in curve]
        for label, curve in found["curves"].items()
    }
    hours = sorted({point["hours"] for curve in found["curves"].values() for point in curve})
    plot = named_lines(
        means,
        heading=f"{rate} on test [%]",
        places={math.log(number): f"{number:g} h" for number in hours},
        in_ink=[found["reference"]],
        limits={} if teacher is None else {f"teacher, {names.wer(teacher)} %": teacher},
        y_scale=lambda value: math.log(max(value, LEAST)),
    )
    plot.horizontal(dict(means[found["reference"]])[math.log(found["target"])], "rule baseline")
    return plot.svg(f"{rate} on test over hours of audio, a line for each of {len(means)} rows")
