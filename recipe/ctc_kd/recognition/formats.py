"""Transcripts as text, JSON, SRT and CTM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ctc_kd.recognition.recogniser import Segment, Timed


def text(recording: str, segments: Iterable[Segment]) -> Iterator[str]:
    """What was said, a line for each segment."""
    return (f"{segment.text}\n" for segment in segments)


def ctm(recording: str, segments: Iterable[Segment]) -> Iterator[str]:
    """NIST's format: recording, channel, start and duration in seconds, word."""
    name = "_".join(recording.split())
    for segment in segments:
        for word, start_s, end_s in segment.words:
            yield f"{name} 1 {start_s:.3f} {end_s - start_s:.3f} {word}\n"


LONGEST_LINE, LONGEST_S = 84, 7.0
"""A subtitle has no more characters and seconds than this, unless it is a single word."""


def srt(recording: str, segments: Iterable[Segment]) -> Iterator[str]:
    """Subtitles."""
    subtitles = ((segment, words) for segment in segments for words in _subtitles(segment))
    for number, (segment, words) in enumerate(subtitles, 1):
        times = f"{_clock(words[0].start_s)} --> {_clock(words[-1].end_s)}"
        yield f"{number}\n{times}\n{segment.space.join(word.text for word in words)}\n\n"


def _subtitles(segment: Segment) -> Iterator[list[Timed]]:
    shown: list[Timed] = []
    for word in segment.words:
        length = sum(len(each.text) + 1 for each in shown) + len(word.text)
        if shown and (length > LONGEST_LINE or word.end_s - shown[0].start_s > LONGEST_S):
            yield shown
            shown = []
        shown.append(word)
    yield shown


def _clock(seconds: float) -> str:
    total = round(1000 * seconds)
    return f"{total // 3600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02},{total % 1000:03}"


def as_json(recording: str, segments: Iterable[Segment]) -> Iterator[str]:
    """One object on one line, with the times of words and labels in seconds."""
    found = [
        {"text": segment.text, "words": list(map(_fields, segment.words)), "labels": list(map(_fields, segment.labels))}
        for segment in segments
    ]
    said = " ".join(segment["text"] for segment in found)
    yield f"{json.dumps({'recording': recording, 'text': said, 'segments': found}, ensure_ascii=False)}\n"


def _fields(timed: Timed) -> dict:
    return {"text": timed.text, "start_s": round(timed.start_s, 3), "end_s": round(timed.end_s, 3)}


class Format(NamedTuple):
    """
    :param write: name of the recording, its segments -> parts of the text
    :param ending: of files
    :param together: whether one text may hold several recordings
    """

    write: Callable[[str, Iterable[Segment]], Iterator[str]]
    ending: str
    together: bool = True


FORMATS = {
    "text": Format(text, ".txt"),
    "json": Format(as_json, ".json"),
    "srt": Format(srt, ".srt", together=False),
    "ctm": Format(ctm, ".ctm"),
}
