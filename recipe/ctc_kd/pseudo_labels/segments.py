"""Decoder outputs as segments whose times can be trusted: in order, within their audio, on the grid of 20 ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ctc_kd.frames import MIN_SAMPLES
from ctc_kd.pseudo_labels.pieces import LONGEST_TICKS, TICK_SAMPLES, TICKS_PER_S, Segment

GRACE_TICKS = TICKS_PER_S
"""A segment that ends at most a second past the end of its audio, or begins as little before the end of the one
before it, is cut short there: Whisper rounds so. One that goes further has times that mean nothing."""


class Timed(NamedTuple):
    """A segment, and what is wrong with its times; None if nothing is."""

    segment: Segment
    fault: str | None


def timed_segments(decoded: Iterable[Mapping[str, Any]], *, first: int = 0, last: int) -> list[Timed]:
    """Checks what a decoder said about a stretch of audio, in the order in which it said it.

    Segments without a fault are in order, do not overlap, and lie within the stretch. A segment with a fault keeps its
    text, with an empty time where it was found, so that nothing is lost unseen.

    :param decoded: ``start, end`` in seconds from the start of the recording, and ``text``
    :param first, last: the ticks at which the stretch begins and ends
    """
    found, reached = [], first
    for one in decoded:
        start, end = (round(one[name] * TICKS_PER_S) for name in ("start", "end"))
        begin, stop = max(start, reached), min(end, last)
        fault = None
        if start < reached - GRACE_TICKS or end < start:
            fault = "times run backwards"
        elif end > last + GRACE_TICKS:
            fault = "times past the end"
        elif (stop - begin) * TICK_SAMPLES < MIN_SAMPLES:
            fault = "no duration"
        elif stop - begin > LONGEST_TICKS:
            fault = "longer than 30 s"
        if fault is None:
            reached = stop
        else:
            begin = stop = min(reached, last)
        found.append(Timed(Segment(begin, stop, " ".join(one["text"].split())), fault))
    return found
