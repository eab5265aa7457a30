"""Spikes of a CTC model: the maximal runs of frames with the same non-blank best label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np


def runs_of_labels(best: np.ndarray, *, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """The first frame of each spike, and the one behind its last.

    :param best: ``[T]``, label with the highest posterior of each frame of one utterance
    """
    changes = np.diff(best, prepend=blank, append=blank) != 0  # T + 1: before each frame, and after the last
    return np.flatnonzero(changes[:-1] & (best != blank)), np.flatnonzero(changes[1:] & (best != blank)) + 1


@dataclass
class SpikeStatistics:
    """Running counts over utterances.

    Attributes:
        lengths: length of a spike in frames -> number of spikes
        gaps: number of pairs of neighbouring spikes within an utterance
        gap_frames: blank frames between them, in total
    """

    lengths: Counter = field(default_factory=Counter)
    frames: int = 0
    gaps: int = 0
    gap_frames: int = 0

    def add(self, best: np.ndarray, *, blank: int):
        """:param best: ``[T]``, label with the highest posterior of each frame of one utterance"""
        starts, ends = runs_of_labels(best, blank=blank)
        self.frames += len(best)
        self.lengths.update((ends - starts).tolist())
        self.gaps += max(len(starts) - 1, 0)
        self.gap_frames += int((starts[1:] - ends[:-1]).sum())

    def summary(self, frame_shift_s: float) -> dict:
        """JSON-able figures; None where there is nothing to average."""
        count = self.lengths.total()
        spike_frames = sum(length * number for length, number in self.lengths.items())
        return {
            "count": count,
            "per_second": count / (self.frames * frame_shift_s),
            "mean_length_frames": spike_frames / count if count else None,
            "single_frame_share": self.lengths[1] / count if count else None,
            "mean_gap_frames": self.gap_frames / self.gaps if self.gaps else None,
            "length_histogram": {str(length): number for length, number in sorted(self.lengths.items())},
        }
