"""The report on a filter of pseudo labels: what each rule keeps, why it drops, and what it got right."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.pseudo_labels.evaluation import WRONG, auroc, recall, recalls
from ctc_kd.pseudo_labels.pieces import Piece, read_lines_of_json, read_pieces
from ctc_kd.report import lines, names
from ctc_kd.report.svg import Plot, element, note, sectioned

EXAMPLES = 5
"""How many of the worst kept and of the best dropped pieces are shown for each rule."""

BINS = 20
"""Of the histogram of distances from 0 to 1; the last one has all that are farther away."""

COLUMNS = {
    "kept_share": ("kept [%]", "share of the time of all pieces"),
    "published": ("paper [%]", "share that the paper's rule of this name kept of its 60,000 hours"),
    "kept_hours": ("kept [h]", "time that is kept"),
    "dropped": ("dropped because of", "pieces and the reason"),
    "loops": ("loops", "sequences of 6 characters that occur 5 times or more in what is kept"),
    "mer": ("MER [%]", "true errors in Mandarin characters and English words of what is kept"),
    "wrong": ("wrong", f"pieces that are kept although their true error rate is above {WRONG}"),
    "recall": ("recall [%]", "share of all wrong pieces that are dropped"),
    "highest": ("best recall [%]", "the same with the best threshold that keeps half of the time"),
    "mean": ("mean recall [%]", "the mean over the thresholds 0.1, 0.2, ..., 0.9"),
    "auroc": ("AUROC", "probability that a wrong piece is farther away than a right one"),
    "seconds_per_hour": ("cost [s/h]", "seconds of decoding by the validator for an hour of audio"),
}
"""Name in ``results.json`` -> heading and meaning."""


@dataclass(frozen=True)
class FilterRow:
    """
    :param pieces, decisions, summary: of ``FilterJob``: its input and what it made of it
    :param errors: ``ReferenceErrorsJob.out_errors`` of the pieces, if there are references
    :param cost: ``ValidateJob.out_cost``, if there is a validator
    :param published: percent that the paper's rule kept
    """

    pieces: tk.Path
    decisions: tk.Path
    summary: tk.Path
    errors: tk.Path | None = None
    cost: tk.Path | None = None
    published: float | None = None


class PseudoLabelsReportJob(Job):
    """Writes ``index.html``, ``table.md``, ``results.json``, and ``audio/``, the examples on the page.

    :param title: headline of the page
    :param rows: name -> row. Shares are of the time of the first one's pieces
    :param cuts: the recordings
    :param cost: ``TranscribeJob.out_cost``
    :param notes: sentences that a reader should know
    """

    def __init__(
        self, *, title: str, rows: dict[str, FilterRow], cuts: tk.Path, cost: tk.Path, notes: Sequence[str] = ()
    ):
        self.title = title
        self.rows = rows
        self.cuts = cuts
        self.cost = cost
        self.notes = notes
        self.out_report = self.output_path("report", directory=True)
        self.rqmt = {"cpu": 1, "mem": 2, "time": 0.5}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        found = {name: Filtered(row) for name, row in self.rows.items()}
        hours = next(iter(found.values())).summary["hours"]
        results = {name: one.results(hours) for name, one in found.items()}
        shown = {name: one.examples() for name, one in found.items() if one.scored}
        cost = read_json(self.cost.get_path())
        head, table, meanings = lines.table("Rule", COLUMNS, results, text_of)
        with complete_folder(self.out_report.get_path()) as folder:
            write_json(f"{folder}/results.json", results)
            write_text(f"{folder}/table.md", lines.markdown(head, table))
            write_audio(folder, self.cuts.get_path(), [one for kinds in shown.values() for one in sum(kinds, [])])
            lede = f"{hours:.2f} hours of pseudo labels from {cost['hours']:.2f} hours of audio"
            speed = f"Transcribing an hour of audio took {cost['seconds_per_hour'] or 0:.0f} s."
            sections = [
                ("Rules", "What each rule keeps", lines.html(head, table) + note(f"{speed} {meanings}")),
                ("Distances", "How far validators are from the labels", "".join(map(histogram, found.items()))),
                ("Examples", "The worst that was kept, the best that was dropped", examples_html(shown, found)),
                ("Notes", "What a reader should know", "".join(map(note, self.notes))),
            ]
            page = sectioned(self.title, kicker="Pseudo labels", lede=lede, sections=sections)
            write_text(f"{folder}/index.html", page)
        print(lines.markdown(head, table))


class Filtered:
    """A row as it was read."""

    def __init__(self, row: FilterRow):
        self.row = row
        self.pieces = list(read_pieces(row.pieces.get_path()))
        self.decisions = list(read_lines_of_json(row.decisions.get_path()))
        self.summary = read_json(row.summary.get_path())
        self.errors = list(read_lines_of_json(row.errors.get_path())) if row.errors else None

    @property
    def scored(self) -> bool:
        """Whether the rule has a distance."""
        return any(one["distance"] is not None for one in self.decisions)

    def results(self, hours: float) -> dict[str, Any]:
        """:param hours: of all pieces"""
        kept_hours, reasons = self.summary["kept_hours"], self.summary["reasons"]
        found = {
            "kept_share": 100 * kept_hours / hours if hours else None,
            "published": self.row.published,
            "kept_hours": kept_hours,
            "dropped": ", ".join(f"{one['pieces']} {reason}" for reason, one in sorted(reasons.items())),
            "loops": self.summary["loops"]["after"],
        }
        if self.row.cost:
            found["seconds_per_hour"] = read_json(self.row.cost.get_path())["seconds_per_hour"]
        return found if self.errors is None else {**found, **self.against_references()}

    def against_references(self) -> dict[str, float | None]:
        is_kept = [one["reason"] is None for one in self.decisions]
        wrong = [one["error_rate"] > WRONG for one in self.errors]
        kept = [one for one, keep in zip(self.errors, is_kept, strict=True) if keep]
        units = sum(one["units"] for one in kept)
        dropped = [float(not keep) for keep in is_kept]
        found = {
            "mer": 100 * sum(one["errors"] for one in kept) / units if units else None,
            "wrong": sum(one and keep for one, keep in zip(wrong, is_kept, strict=True)),
            "recall": percent(recall(dropped, wrong, 0.5)),
        }
        if self.scored:
            distances = [one["distance"] for one in self.decisions]
            over_alphas = recalls(distances, wrong, [piece.seconds for piece in self.pieces])
            found |= {name: percent(value) for name, value in over_alphas.items()}
            found["auroc"] = auroc(distances, wrong)
        return found

    def examples(self) -> tuple[list[Piece], list[Piece]]:
        """The worst pieces that were kept, and the best that are too far away: by true errors, or by distance."""
        badness = [one["error_rate"] for one in self.errors or ()] or [one["distance"] for one in self.decisions]
        order = sorted(range(len(self.pieces)), key=badness.__getitem__)
        kept = [self.pieces[index] for index in reversed(order) if self.decisions[index]["reason"] is None]
        dropped = [self.pieces[index] for index in order if self.decisions[index]["reason"] == "distance"]
        return kept[:EXAMPLES], dropped[:EXAMPLES]


def percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def write_audio(folder: str, cuts: str, pieces: Sequence[Piece]):
    """``audio/<id>.flac`` of each piece."""
    from ctc_kd.corpus.audio import AUDIO_FORMATS, encode, to_int16
    from ctc_kd.corpus.cuts import read_cuts
    from ctc_kd.pseudo_labels.audio import read_samples

    os.mkdir(f"{folder}/audio")
    recordings = {cut.id: cut for cut in read_cuts(cuts)}
    for piece in {piece.id: piece for piece in pieces}.values():
        samples = to_int16(read_samples(recordings[piece.recording], piece.start, piece.end))
        with open(f"{folder}/{audio_of(piece)}", "wb") as file:
            file.write(encode(samples, AUDIO_FORMATS["flac"]))


def audio_of(piece: Piece) -> str:
    return f"audio/{piece.id.replace('/', '_')}.flac"


def text_of(column: str, value: Any) -> str:
    if value is None or value == "":
        return names.DASH
    digits = {"auroc": 3, "kept_hours": 3}.get(column, 1)
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def histogram(row: tuple[str, Filtered]) -> str:
    """How many pieces have which distance; nothing for a rule without one."""
    name, filtered = row
    if not filtered.scored:
        return ""
    counts = [0] * BINS
    for one in filtered.decisions:
        counts[min(int(one["distance"] * BINS), BINS - 1)] += 1
    plot = Plot(width=640, height=180, x=(0, 1), y=(0, max(counts)), margins=(40, 10, 10, 26))
    plot.y_axis(3)
    for index, number in enumerate(counts):
        left, right = plot.x(index / BINS) + 1, plot.x((index + 1) / BINS) - 1
        top, height = plot.y(number), plot.bottom - plot.y(number)
        plot.add("rect", x=left, y=top, width=right - left, height=height, class_="bar")
    for tick in range(0, 11, 2):
        text = "≥ 1" if tick == 10 else f"{tick / 10:g}"
        plot.text(plot.x(tick / 10), plot.bottom + 16, text, anchor="end" if tick == 10 else "middle")
    drawing = plot.svg(f"histogram of the distances of {name}")
    return element("figure", drawing + element("figcaption", f"{escape(name)}: pieces by distance"))


def examples_html(shown: Mapping[str, tuple[list[Piece], list[Piece]]], found: Mapping[str, Filtered]) -> str:
    parts = []
    for name, (kept, dropped) in shown.items():
        decisions = {one["id"]: one for one in found[name].decisions}
        errors = {one["id"]: one for one in found[name].errors or ()}
        for what, pieces in (("kept", kept), ("dropped", dropped)):
            paragraphs = [example(piece, decisions[piece.id], errors.get(piece.id)) for piece in pieces]
            if paragraphs:
                parts.append(element("p", f"{escape(name)}: {what}", class_="kicker") + "".join(paragraphs))
    return "".join(parts)


def example(piece: Piece, decision: Mapping[str, Any], error: Mapping[str, Any] | None) -> str:
    facts = f"distance {decision['distance']:.2f}"
    if error:
        facts += f", true error rate {error['error_rate']:.2f}; said: {error['reference']}"
    player = element("audio", controls="", preload="none", src=quote(audio_of(piece)))
    return element("p", f"{escape(piece.text)}<br>{player}") + note(f"{piece.id}: {facts}")
