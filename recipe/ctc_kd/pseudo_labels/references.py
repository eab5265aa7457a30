"""The true errors of pseudo labels, where somebody has transcribed the recordings."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import Cut, read_cuts
from ctc_kd.corpus.transcripts import read_texts
from ctc_kd.files import write_json
from ctc_kd.pseudo_labels.pieces import TICKS_PER_S, Piece, read_pieces, write_lines_of_json


class Spoken(NamedTuple):
    """A transcribed utterance; seconds from the start of its file."""

    middle_s: float
    text: str


class ReferenceErrorsJob(Job):
    """Compares the texts of pieces with references, by their units of :mod:`ctc_kd.scoring.units`.

    An utterance belongs to the piece that holds its middle. One that is in no piece counts in ``out_counts`` only.

    :param cuts: the recordings of the pieces
    :param reference_cuts, reference_transcripts: utterances within the same audio files

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
        spoken = utterances_by_file(read_cuts(self.reference_cuts.get_path()), texts)
        recordings = {cut.id: cut for cut in read_cuts(self.cuts.get_path())}
        pieces = list(read_pieces(self.pieces.get_path()))
        expected = references_of(pieces, recordings, spoken)
        characters, words, lines = Counts(), Counts(), []
        for piece in pieces:
            reference = mixed_units(comparable(expected[piece.id]))
            said = mixed_units(comparable(piece.text))
            of_characters, of_words = counts_by_language(said, reference)
            characters, words = characters + of_characters, words + of_words
            rate = error_rate(said, reference) if said or reference else 0.0
            both = of_characters + of_words
            line = {"id": piece.id, "error_rate": rate, "errors": both.errors, "units": both.words}
            lines.append({**line, "reference": expected[piece.id]})
        write_lines_of_json(self.out_errors.get_path(), lines)
        both = characters + words
        every = sum(len(mixed_units(comparable(one.text))) for group in spoken.values() for one in group)
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


def utterances_by_file(cuts: Iterable[Cut], texts: Mapping[str, str]) -> dict[str, list[Spoken]]:
    """Audio file -> its transcribed utterances, in order."""
    found = defaultdict(list)
    for cut in cuts:
        found[os.path.realpath(cut.audio)].append(Spoken(cut.start + cut.duration / 2, texts[cut.id]))
    return {file: sorted(group) for file, group in found.items()}


def references_of(
    pieces: Iterable[Piece], recordings: Mapping[str, Cut], spoken: Mapping[str, list[Spoken]]
) -> dict[str, str]:
    """Piece -> what was said in it: the utterances whose middle it holds."""
    found = {}
    for piece in pieces:
        cut = recordings[piece.recording]
        group = spoken.get(os.path.realpath(cut.audio), [])
        times = (cut.start + tick / TICKS_PER_S for tick in (piece.start, piece.end))
        first, last = (bisect_left(group, (time,)) for time in times)
        found[piece.id] = " ".join(one.text for one in group[first:last])
    return found
