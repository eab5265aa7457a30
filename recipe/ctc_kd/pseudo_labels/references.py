"""The true errors of pseudo labels, where somebody has transcribed the recordings."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf
from typing import NamedTuple

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import Cut, read_cuts
from ctc_kd.corpus.problems import refuse
from ctc_kd.corpus.transcripts import read_texts
from ctc_kd.files import write_json
from ctc_kd.pseudo_labels.pieces import TICKS_PER_S, Piece, read_pieces, write_lines_of_json

GRACE_S = 1.0
"""A word that was said so near to a piece, but in none, belongs to it: neither times are exact."""


class Spoken(NamedTuple):
    """A word or character of a transcript, and about when it was said; seconds from the start of its file."""

    time_s: float
    unit: str
    channels: tuple[int, ...] = (0,)


class ReferenceErrorsJob(Job):
    """Compares the texts of pieces with references, by their units of :mod:`ctc_kd.scoring.units`.

    A unit belongs to the piece in whose time it was said, as if all units of an utterance took equally long. One that
    is in no piece counts in ``out_counts`` only.

    :param cuts: the recordings of the pieces
    :param reference_cuts, reference_transcripts: utterances within the same audio files, before any conversion; some
        of them are in those of the pieces, and only these count

    ``out_errors``: JSON lines ``id, error_rate, errors, units, reference``; the rate is 1 where there is no reference
    but a text.
    ``out_counts``: JSON: ``mer`` in percent, ``substitutions, deletions, insertions, units`` over all pieces, the rates
    of ``characters`` and ``words`` alone (None if the references have none), ``missed_units`` in no piece, ``loops``.
    """

    def __init__(self, *, pieces: tk.Path, cuts: tk.Path, reference_cuts: tk.Path, reference_transcripts: tk.Path):
        self.pieces = pieces
        self.cuts = cuts
        self.reference_cuts = reference_cuts
        self.reference_transcripts = reference_transcripts
        self.out_errors = self.output_path("errors.jsonl.gz")
        self.out_counts = self.output_path("counts.json")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.pseudo_labels.repetition import count_loops
        from ctc_kd.scoring.alignment import Counts
        from ctc_kd.scoring.units import comparable, counts_by_language, error_rate, mixed_units

        texts = read_texts(self.reference_transcripts.get_path())
        spoken = units_by_file(read_cuts(self.reference_cuts.get_path()), texts)
        recordings = {cut.id: cut for cut in read_cuts(self.cuts.get_path())}
        heard: dict[str, set[int]] = defaultdict(set)
        for cut in recordings.values():
            heard[file_of(cut)].update(cut.original_channels)
        spoken = {
            file: [one for one in units if heard[file] & {*one.channels}]
            for file, units in spoken.items()
            if file in heard
        }
        if not spoken:
            refuse(
                [f"no utterance is in any of the {len(heard)} recordings of {self.cuts.get_path()}"],
                where=self.reference_cuts.get_path(),
                remedy=f"Expected references in the same files, such as {min(heard, default='')}.",
            )
        pieces = list(read_pieces(self.pieces.get_path()))
        expected = references_of(pieces, recordings, spoken)
        characters, words, lines = Counts(), Counts(), []
        for piece in pieces:
            reference = expected[piece.id]
            said = mixed_units(comparable(piece.text))
            of_characters, of_words = counts_by_language(said, reference)
            characters, words = characters + of_characters, words + of_words
            rate = error_rate(said, reference) if said or reference else 0.0
            both = of_characters + of_words
            line = {"id": piece.id, "error_rate": rate, "errors": both.errors, "units": both.words}
            lines.append({**line, "reference": " ".join(reference)})
        write_lines_of_json(self.out_errors.get_path(), lines)
        both = characters + words
        every = sum(map(len, spoken.values()))
        counts = {
            "mer": both.wer if both.words else None,
            "substitutions": both.substitutions,
            "deletions": both.deletions,
            "insertions": both.insertions,
            "units": both.words,
            "characters": characters.wer if characters.words else None,
            "words": words.wer if words.words else None,
            "missed_units": every - both.words,
            "loops": sum(count_loops(piece.text) for piece in pieces),
        }
        write_json(self.out_counts.get_path(), counts)
        print(counts)


def units_by_file(cuts: Iterable[Cut], texts: Mapping[str, str]) -> dict[str, list[Spoken]]:
    """Audio file -> the units of its transcribed utterances."""
    from ctc_kd.scoring.units import comparable, mixed_units

    found = defaultdict(list)
    for cut in cuts:
        units = mixed_units(comparable(texts[cut.id]))
        for index, unit in enumerate(units):
            time_s = cut.start + cut.duration * (index + 0.5) / len(units)
            found[file_of(cut)].append(Spoken(time_s, unit, cut.original_channels))
    return found


def file_of(cut: Cut) -> str:
    """What recordings and references have in common, each of which may be converted by a job of its own."""
    return os.path.realpath(cut.original_audio)


def references_of(
    pieces: Iterable[Piece], recordings: Mapping[str, Cut], spoken: Mapping[str, list[Spoken]]
) -> dict[str, list[str]]:
    """Piece -> the units that were said in it, in order."""
    groups: dict[str, dict[tuple[int, ...], list[tuple[float, float, str]]]] = defaultdict(lambda: defaultdict(list))
    found: dict[str, list[str]] = {}
    for piece in pieces:
        cut = recordings[piece.recording]
        edges = (cut.start + tick / TICKS_PER_S for tick in (piece.start, piece.end))
        groups[file_of(cut)][cut.original_channels].append((*edges, piece.id))
        found[piece.id] = []
    for file, by_channels in groups.items():
        for group in by_channels.values():
            group.sort()
        for time_s, unit, channels in sorted(spoken.get(file, []), key=lambda one: one.time_s):
            heard = (group for of_group, group in by_channels.items() if {*of_group} & {*channels})
            near = (one for group in heard for one in around(group, time_s))
            distance, piece = min(near, default=(inf, ""))
            if distance <= GRACE_S:
                found[piece].append(unit)
    return found


def around(group: list[tuple[float, float, str]], time_s: float) -> list[tuple[float, str]]:
    """The distance in time of the pieces before and after, and their ids; 0 or less within one.

    :param group: start, end and id of pieces, in order
    """
    after = bisect_left(group, (time_s,))
    return [(max(start - time_s, time_s - end), name) for start, end, name in group[max(0, after - 1) : after + 1]]
