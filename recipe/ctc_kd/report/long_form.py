"""The report on Whisper models that transcribed the same long recordings: a teacher, and students of its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.report import lines, names
from ctc_kd.report.svg import note, sectioned

COLUMNS = {
    "mer": ("MER [%]", "errors in Mandarin characters and English words; what is in no segment counts as deleted"),
    "change": ("change [%]", "of the MER, from that of the teacher"),
    "published": ("paper [%]", "the same change in the paper, on its COOLTEST"),
    "characters": ("Mandarin [%]", "errors among the characters that were said within segments"),
    "words": ("English [%]", "errors among the words that were said within segments"),
    "deletions": ("del [%]", "deletions, in percent of all units"),
    "insertions": ("ins [%]", "insertions"),
    "substitutions": ("sub [%]", "substitutions"),
    "loops": ("loops", "sequences of 6 characters that occur 5 times or more within 100"),
    "real_time": ("time", "seconds of decoding for a second of audio"),
    "speed": ("speed", "how many times as fast as the teacher"),
}
"""Name in ``results.json`` -> heading and meaning."""


@dataclass(frozen=True)
class LongForm:
    """
    :param counts: ``ReferenceErrorsJob.out_counts`` of what a model said
    :param cost: ``TranscribeJob.out_cost``
    :param published: change of the MER by the paper's student of this name, in percent
    """

    counts: tk.Path
    cost: tk.Path
    published: float | None = None


class LongFormReportJob(Job):
    """Writes ``index.html``, ``table.md`` and ``results.json``.

    :param models: name -> what it said about the same recordings; the first is the teacher
    :param notes: sentences that a reader should know
    """

    def __init__(self, *, title: str, models: dict[str, LongForm], notes: Sequence[str] = ()):
        self.title = title
        self.models = models
        self.notes = notes
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        read = {
            name: (read_json(one.counts.get_path()), read_json(one.cost.get_path()))
            for name, one in self.models.items()
        }
        results = {name: results_of(*one) for name, one in read.items()}
        teacher = next(iter(results.values()))
        for name, row in results.items():
            row["published"] = self.models[name].published
            if row is not teacher:
                row |= against(row, teacher)
        hours = next(iter(read.values()))[1]["hours"]
        head, table, meanings = lines.table("Model", COLUMNS, results, text_of)
        with complete_folder(self.out_report.get_path()) as folder:
            write_json(f"{folder}/results.json", results)
            write_text(f"{folder}/table.md", lines.markdown(head, table))
            sections = [
                ("Models", "What they said", lines.html(head, table) + note(meanings)),
                ("Notes", "What a reader should know", "".join(map(note, self.notes))),
            ]
            lede = f"{60 * hours:.1f} minutes of recordings, as they are"
            page = sectioned(self.title, kicker="Long-form recognition", lede=lede, sections=sections)
            write_text(f"{folder}/index.html", page)
        print(lines.markdown(head, table))


def results_of(counts: Mapping[str, Any], cost: Mapping[str, Any]) -> dict[str, Any]:
    units = counts["units"] + counts["missed_units"]
    errors = {
        "deletions": counts["deletions"] + counts["missed_units"],
        "insertions": counts["insertions"],
        "substitutions": counts["substitutions"],
    }
    rates = {name: 100 * number / units if units else None for name, number in errors.items()}
    return {
        "mer": 100 * sum(errors.values()) / units if units else None,
        **{name: counts[name] for name in ("characters", "words", "loops")},
        **rates,
        "real_time": cost["decoding_s"] / (3600 * cost["hours"]) if cost["hours"] else None,
    }


def against(row: Mapping[str, Any], teacher: Mapping[str, Any]) -> dict[str, float]:
    """What compares a model with the teacher, as far as it is defined."""
    found = {}
    if teacher["mer"]:
        found["change"] = 100 * (row["mer"] / teacher["mer"] - 1)
    if row["real_time"]:
        found["speed"] = teacher["real_time"] / row["real_time"]
    return found


def text_of(column: str, value: float | None) -> str:
    if value is None:
        return names.DASH
    digits = {"real_time": 3, "loops": 0}.get(column, 1)
    return f"{round(value, 1) + 0.0:+.1f}" if column in ("change", "published") else f"{value:.{digits}f}"
