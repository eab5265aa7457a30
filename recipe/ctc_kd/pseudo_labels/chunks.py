"""Chunks of up to 30 s, which a Whisper model trains on, out of neighbouring segments (K2D section 3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ctc_kd.pseudo_labels.pieces import LONGEST_TICKS, Piece, Segment


def chunks(
    recording: str, source: str, segments: Iterable[Segment | None], *, longest_ticks: int = LONGEST_TICKS
) -> Iterator[Piece]:
    """Adds a segment to the chunk before it unless that would then be longer than 30 s, gaps counted, or mix languages.

    :param segments: in order; None where one was dropped. A chunk ends there, so that no audio of it is in any chunk
    :param longest_ticks: another limit than 30 s. A single segment may be longer
    """
    held: list[Segment] = []
    for segment in segments:
        if held and (
            segment is None or segment.language != held[0].language or segment.end - held[0].start > longest_ticks
        ):
            yield Piece(recording, source, tuple(held))
            held = []
        if segment is not None:
            held.append(segment)
    if held:
        yield Piece(recording, source, tuple(held))
