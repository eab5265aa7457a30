"""Pieces of recordings with what was heard in them, as JSON lines. Times are whole ticks of 20 ms, as Whisper's are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ctc_kd.files import complete_file, text_lines
from ctc_kd.frames import SAMPLE_RATE_HZ, TICKS_PER_S

TICK_SAMPLES = SAMPLE_RATE_HZ // TICKS_PER_S
LONGEST_TICKS = 30 * TICKS_PER_S
"""Whisper reads 30 s at once."""


class Segment(NamedTuple):
    """What was said without a break.

    :param start, end: ticks from the start of the recording
    :param language: that the decoder read the token of; None if nobody knows
    """

    start: int
    end: int
    text: str
    language: str | None = None


@dataclass(frozen=True)
class Piece:
    """A part of a recording: a segment, or several of them in one chunk.

    :param recording: id of its cut
    :param source: where the recording is from, such as a channel: the speaker of its cut
    :param segments: in order, one or more, of one language; they lie between the start of the first and the end of the
        last one
    """

    recording: str
    source: str
    segments: tuple[Segment, ...]

    @property
    def start(self) -> int:
        return self.segments[0].start

    @property
    def end(self) -> int:
        return self.segments[-1].end

    @property
    def id(self) -> str:
        """The recording, and the start in milliseconds."""
        return f"{self.recording}-{self.start * 1000 // TICKS_PER_S:08d}"

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def language(self) -> str | None:
        return self.segments[0].language

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / TICKS_PER_S

    def fields(self) -> dict[str, Any]:
        return {"id": self.id, "recording": self.recording, "source": self.source, "segments": self.segments}


def write_lines_of_json(path: str, values: Iterable[Any]):
    """Writes ``<path>`` (``.jsonl.gz``); it appears only when it is complete."""
    with complete_file(path) as partial, gzip.open(partial, "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)


def read_lines_of_json(path: str) -> Iterator[Any]:
    return map(json.loads, text_lines(path))


def write_pieces(path: str, pieces: Iterable[Piece]):
    write_lines_of_json(path, (piece.fields() for piece in pieces))


def read_pieces(path: str) -> Iterator[Piece]:
    for fields in read_lines_of_json(path):
        segments = tuple(Segment(*segment) for segment in fields["segments"])
        yield Piece(fields["recording"], fields["source"], segments)
