"""How far rows are from another one that stands for the best choice, in several settings: a table with intervals."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.report import as_good, lines, names
from ctc_kd.report.grid.significance import LEVEL, too_few_speakers
from ctc_kd.report.record import read_record
from ctc_kd.report.svg import note, sectioned


class DifferencesReportJob(Job):
    """Writes ``index.html`` (self-contained), ``table.md`` and ``results.json``.

    :param title: headline of the page
    :param settings: setting -> ``SignificanceJob.out_significance``; all its comparisons are with one row
    :param chosen: setting -> record of that row, if dev chose its hyper-parameter
    :param kicker: what kind of report it is
    :param notes: sentences that a reader should know
    """

    def __init__(
        self,
        *,
        title: str,
        settings: dict[str, tk.Path],
        chosen: dict[str, tk.Path] | None = None,
        kicker: str,
        notes: list[str],
    ):
        self.title = title
        self.settings = settings
        self.chosen = chosen or {}
        self.kicker = kicker
        self.notes = notes
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        found = {setting: read_json(path.get_path()) for setting, path in self.settings.items()}
        chosen = {setting: read_record(path.get_path()) for setting, path in self.chosen.items()}
        parameters = {name: names.parameter(record.method, record.parameter) for name, record in chosen.items()}
        head, body = differences_table(found, parameters)
        notes = [note_of(found), *self.notes]
        target = self.out_report.get_path()
        with complete_folder(target) as folder:
            write_json(f"{folder}/results.json", {"settings": found, "chosen": parameters})
            write_text(f"{folder}/table.md", f"{lines.markdown(head, body)}\n{' '.join(notes)}\n")
            content = lines.html(head, body) + "".join(map(note, notes))
            page = sectioned(self.title, kicker=self.kicker, sections=[("Differences", "Beside the choice", content)])
            write_text(f"{folder}/index.html", page)
        print(lines.markdown(head, body))
        print(f"report of {len(found)} settings: {target}/index.html")


def differences_table(
    found: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, str]
) -> tuple[list[str], list[list[lines.Cell]]]:
    """Head and lines: a column for each setting, and beside several of them their mean.

    :param found: setting -> content of ``SignificanceJob.out_significance``
    :param parameters: setting -> text of the hyper-parameter that dev chose
    """
    by_row: dict[str, dict[str, Any]] = {}
    for setting, one in found.items():
        for compared in one["comparisons"]:
            by_row.setdefault(compared["row"], {})[setting] = compared
    (other,) = {compared["against"] for row in by_row.values() for compared in row.values()}
    chosen = {setting: f" ({parameters[setting]})" if setting in parameters else "" for setting in found}
    rates = [f"{names.wer(one['wer'][other])}{chosen[setting]}" for setting, one in found.items()]
    body = [lines.plain(f"{other} [%]", *rates)]
    for row, compared in by_row.items():
        cells = (_cell(compared[setting]) if setting in compared else (names.DASH, False) for setting in found)
        body.append([*lines.plain(row), *cells])
    head = ["", *found]
    if len(found) > 1:
        head.append("mean")
        means = (statistics.fmean(one["difference"] for one in compared.values()) for compared in by_row.values())
        for line, mean in zip(body, ["", *map(names.points, means)], strict=True):
            line += lines.plain(mean)
    return head, body


def _cell(compared: Mapping[str, Any]) -> lines.Cell:
    tested = compared.get("seeds") or compared
    interval = f"[{names.points(tested['low'])}, {names.points(tested['high'])}]"
    return f"{names.points(compared['difference'])}{as_good.sign(compared)}\n{interval}", tested["holm"] < LEVEL


def note_of(found: Mapping[str, Mapping[str, Any]]) -> str:
    every = [compared for one in found.values() for compared in one["comparisons"]]
    seeds = any("seeds" in compared for compared in every)
    margins = {compared["equivalence"]["margin"] for compared in every if "equivalence" in compared}
    few = dict.fromkeys(map(too_few_speakers, found.values()))
    over = "seeds and speakers" if seeds else "speakers"
    return (
        "Differences on test in points; above 0, the row is worse than the one in the first line. In brackets is the "
        f"95 % interval over {over}. Bold means that p, corrected for the comparisons of its column by Holm, is below "
        f"{LEVEL}."
        + "".join(f" {text}" for text in few if text)
        + "".join(f" ≈ means that both are as good as each other: {as_good.meaning(margin)}." for margin in margins)
    )
