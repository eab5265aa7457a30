"""By how many frames a student says a label earlier or later than its teacher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ctc_kd.analysis.frame_counts import percent
from ctc_kd.analysis.paired import BestPath, Pair
from ctc_kd.analysis.spikes import runs_of_labels
from ctc_kd.scoring.alignment import GAP_COST, SUBSTITUTION_COST, Counts


class Spike(NamedTuple):
    """A label of a best path, and the frame in which its posterior is highest, the first one in a tie."""

    label: int
    frame: int


Match = tuple[Spike | None, Spike | None]
"""A teacher's spike and the student's; None for an insertion or a deletion."""


def spikes_of(path: BestPath, *, blank: int, unspoken: Collection[int] = ()) -> list[Spike]:
    """:param unspoken: labels that do not count"""
    runs = zip(*runs_of_labels(path.labels, blank=blank), strict=True)
    return [
        Spike(int(path.labels[start]), int(start + path.log_posteriors[start:end].argmax()))
        for start, end in runs
        if path.labels[start] not in unspoken
    ]


def matched(teacher: Sequence[Spike], student: Sequence[Spike]) -> list[Match]:
    """The alignment with the lowest cost of sclite, in order; of several, the one whose pairs are nearest in time.

    Time decides which of two equal neighbours was left out, and nothing else: the cost of an alignment is
    that of :func:`ctc_kd.scoring.alignment.align` for the labels alone.
    """
    last = max((spike.frame for spike in [*teacher, *student]), default=0)
    error = 1 + last * min(len(teacher), len(student))  # one error outweighs all distances in time
    costs = _costs(teacher, student, error)
    i, j = len(teacher), len(student)
    pairs: list[Match] = []
    while i or j:
        here = costs[i][j]
        if i and j and here == costs[i - 1][j - 1] + _pair_cost(teacher[i - 1], student[j - 1], error):
            i, j = i - 1, j - 1
            pairs.append((teacher[i], student[j]))
        elif j and here == costs[i][j - 1] + GAP_COST * error:
            j -= 1
            pairs.append((None, student[j]))
        else:
            i -= 1
            pairs.append((teacher[i], None))
    return pairs[::-1]


def _pair_cost(one: Spike, other: Spike, error: int) -> int:
    return abs(one.frame - other.frame) + (0 if one.label == other.label else SUBSTITUTION_COST * error)


def _costs(teacher: Sequence[Spike], student: Sequence[Spike], error: int) -> list[list[int]]:
    """``[i][j]``: the cost of aligning the first i spikes of the teacher with the first j of the student."""
    gap = GAP_COST * error
    costs = [[j * gap for j in range(len(student) + 1)]]
    for i, spike in enumerate(teacher, 1):
        above, row = costs[-1], [i * gap]
        for j, other in enumerate(student):
            row.append(min(above[j] + _pair_cost(spike, other, error), above[j + 1] + gap, row[j] + gap))
        costs.append(row)
    return costs


@dataclass
class SpikeOffsets:
    """Running counts over utterances.

    Attributes:
        offsets: frames by which the student says a label later than the teacher -> number of labels that both say
        counts: the student's label errors against the teacher's labels
    """

    offsets: Counter = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)

    def add(self, pair: Pair, *, blank: int, unspoken: Collection[int] = ()):
        spikes = (spikes_of(path, blank=blank, unspoken=unspoken) for path in pair)
        self.add_matches(matched(*spikes))

    def add_matches(self, matches: Iterable[Match]):
        for one, other in matches:
            if one is None:
                self.counts += Counts(insertions=1)
            elif other is None:
                self.counts += Counts(deletions=1)
            elif one.label == other.label:
                self.counts += Counts(hits=1)
                self.offsets[other.frame - one.frame] += 1
            else:
                self.counts += Counts(substitutions=1)

    def summary(self) -> dict:
        """The label errors against the teacher, and the labels that both say, by offset:

        - ``offsets``: frames (text, because of JSON) -> number of labels
        - ``exact``, ``within_one``: percent of them in the same frame, or at most one frame away
        - ``mean_offset``, ``mean_distance``: in frames, with and without sign

        What has no label to count is None.
        """
        total = self.offsets.total()
        near = sum(number for offset, number in self.offsets.items() if abs(offset) <= 1)
        mean, distance = (
            sum(size(offset) * number for offset, number in self.offsets.items()) / total if total else None
            for size in (int, abs)
        )
        return {
            "label_errors": percent(self.counts.errors, self.counts.words),
            **vars(self.counts),
            "labels": self.counts.words,
            "offsets": {str(offset): number for offset, number in sorted(self.offsets.items())},
            "exact": percent(self.offsets[0], total),
            "within_one": percent(near, total),
            "mean_offset": mean,
            "mean_distance": distance,
        }
