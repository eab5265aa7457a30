"""The audio of a stretch of a recording, and where to look for speech in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctc_kd.corpus.cut_samples import samples_of
from ctc_kd.corpus.cuts import Cut
from ctc_kd.corpus.speech import Span
from ctc_kd.pseudo_labels.pieces import LONGEST_TICKS, TICK_SAMPLES, TICKS_PER_S

if TYPE_CHECKING:
    import numpy as np

LONGEST_STRETCH_S = 600
"""Speech that goes on for longer is cut at the longest of its pauses, which bounds the memory."""

MOST_GAP_TICKS = 3 * TICKS_PER_S
"""Speech is decoded together with the pause before it up to this length. What is longer may be music, to which Whisper
writes a text of its own."""


def stretches(speech: Sequence[Span], *, num_samples: int, longest_ticks: int = LONGEST_TICKS) -> list[tuple[int, int]]:
    """What is decoded at once: neighbouring speech within 30 s, or longer speech by itself; in ticks.

    :param speech: first sample and the one after the last, in order
    :param longest_ticks: of neighbouring speech together
    """
    found: list[tuple[int, int]] = []
    for start, end in speech:
        begin, stop = start // TICK_SAMPLES, -(-end // TICK_SAMPLES)
        if found:
            begin = max(begin, found[-1][1])
            if begin - found[-1][1] <= MOST_GAP_TICKS and stop - found[-1][0] <= longest_ticks:
                begin = found.pop()[0]
        stop = min(stop, num_samples // TICK_SAMPLES)
        if begin < stop:
            found.append((begin, stop))
    return found


def read_samples(cut: Cut, start: int, end: int) -> np.ndarray:
    """16 kHz mono, float32 ``[N]``, see :func:`ctc_kd.corpus.cut_samples.samples_of`.

    :param start, end: ticks from the start of the cut
    """
    return samples_of(cut, start=start * TICK_SAMPLES, number=(end - start) * TICK_SAMPLES)
