"""Decoder outputs as segments whose times can be trusted: in order, within the recording, on the grid of 20 ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ctc_kd.pseudo_labels.pieces import LONGEST_TICKS, TICKS_PER_S, Segment

GRACE_TICKS = TICKS_PER_S
"""A segment that ends at most a second past the end of its recording, or begins as little before the end of the one
before it, is cut short there: Whisper rounds so. One that goes further has times that mean nothing."""


class Timed(NamedTuple):
    """A segment, and what is wrong with its times; None if nothing is."""

    segment: Segment
    fault: str | None


def timed_segments(decoded: Iterable[Mapping[str, Any]], *, num_ticks: int) -> list[Timed]:
    """Checks what a decoder said about one recording, in the order in which it said it.

    Segments without a fault are in order, do not overlap, and lie within the recording. A segment with a fault keeps
    its text, with times that are those of the gap it was found in, so that nothing is lost unseen.

    :param decoded: ``start, end`` in seconds and ``text``
    :param num_ticks: of the recording
    """
    found, reached = [], 0
    for one in decoded:
        start, end = (round(one[name] * TICKS_PER_S) for name in ("start", "end"))
        begin, stop = max(start, reached), min(end, num_ticks)
        fault = None
        if start < reached - GRACE_TICKS or end < start:
            fault = "times run backwards"
        elif end > num_ticks + GRACE_TICKS:
            fault = "times past the end"
        elif stop <= begin:
            fault = "no duration"
        elif stop - begin > LONGEST_TICKS:
            fault = "longer than 30 s"
        if fault is None:
            reached = stop
        else:
            begin = stop = min(reached, num_ticks)
        found.append(Timed(Segment(begin, stop, " ".join(one["text"].split())), fault))
    return found
