"""How many utterances and hours the parts of public corpora have, so that an incomplete copy is noticed."""

from __future__ import annotations

from typing import NamedTuple

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.files import write_lines

HOURS_TOLERANCE = 0.25
"""The known figures are rounded to 0.1, and those of LibriSpeech are not exact: dev-other has 5.1 h, test-other 5.3."""


class Counts(NamedTuple):
    utterances: int
    hours: float


KNOWN_COUNTS = {
    "librispeech": {
        "train-clean-100": Counts(28_539, 100.6),
        "train-clean-360": Counts(104_014, 363.6),
        "train-other-500": Counts(148_688, 496.7),
        "train-other-960": Counts(281_241, 960.9),
        "dev-clean": Counts(2_703, 5.4),
        "dev-other": Counts(2_864, 5.3),
        "test-clean": Counts(2_620, 5.4),
        "test-other": Counts(2_939, 5.1),
        "train-clean-5": Counts(1_519, 5.3),  # of Mini LibriSpeech
    },
    "tedlium2": {  # train with the segment boundaries extended, see the reader
        "train": Counts(92_973, 212.1),
        "dev": Counts(507, 1.6),
        "test": Counts(1_155, 2.6),
    },
}
"""Corpus -> part -> counts."""


class CheckCountsJob(Job):
    """Compares the utterances and hours of a manifest with the expected ones.

    A difference is printed as a warning and does not fail the job, because a part of a corpus may be used on purpose.

    ``out_note``: text, one sentence for the report page.

    :param part: what the report calls the manifest
    :param expected: as in :data:`KNOWN_COUNTS`; hours may differ by :data:`HOURS_TOLERANCE`
    """

    def __init__(self, *, cuts: tk.Path, part: str, expected: Counts):
        self.cuts = cuts
        self.part = part
        self.expected = expected
        self.out_note = self.output_path("note.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        durations = [cut.duration for cut in read_cuts(self.cuts.get_path())]
        found, expected = Counts(len(durations), sum(durations) / 3600), self.expected
        agrees = found.utterances == expected.utterances and abs(found.hours - expected.hours) <= HOURS_TOLERANCE
        text = f"{self.part}: {found.utterances} utterances, {found.hours:.1f} h; " + (
            "as expected" if agrees else f"expected {expected.utterances} utterances, {expected.hours:.1f} h"
        )
        print(text if agrees else f"{'!' * 80}\nWARNING: {text}. Is the copy complete?\n{'!' * 80}")
        write_lines(self.out_note.get_path(), [text])
