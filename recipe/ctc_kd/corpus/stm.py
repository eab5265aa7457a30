"""Segment time marks: STM files as TED-LIUM has them, lines of ``talk channel speaker start end <label> words``."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import zip_longest
from typing import NamedTuple

from ctc_kd.corpus.transcripts import normalise_text
from ctc_kd.files import text_lines

IGNORED = "ignore_time_segment_in_scoring"
SHORTEST_S = Decimal("0.01")
START_PADDING_S, END_PADDING_S = Decimal("0.15"), Decimal("0.1")

_TIME = r"(-?(?:\d+\.?\d*|\.\d+))"
_LINE = re.compile(rf"(\S+)\s+\S+\s+(\S+)\s+{_TIME}\s+{_TIME}\s+<\S*>(?:\s+(.*))?")
_MARKERS = re.compile(r"<SIL>|\(\d+\)|\{\w+\}|\[\w+\]")

Span = tuple[Decimal, Decimal]
"""Start and end in seconds: exact, because two decimals are compared and rounded."""


class StmSegment(NamedTuple):
    """``line``: counted from one; ``text``: as in the file. The channel and the label are dropped."""

    line: int
    speaker: str
    start_s: Decimal
    end_s: Decimal
    text: str


def read_stm(path: str) -> tuple[list[StmSegment], list[str]]:
    """The segments of one talk in file order, and what is wrong with the file, which is named after its talk.

    Empty lines, comments (``;;``) and lines marked :data:`IGNORED` are skipped.
    """
    talk = os.path.splitext(os.path.basename(path))[0]
    segments, problems = [], []
    first_line: dict[Span, int] = {}
    try:
        lines = list(map(str.strip, text_lines(path)))
    except ValueError as error:  # no text
        return [], [str(error)]
    for number, line in enumerate(lines, 1):
        if not line or line.startswith(";;") or IGNORED in line:
            continue
        segment = _parse(number, line, talk)
        if isinstance(segment, StmSegment):
            span = segment.start_s, segment.end_s
            if span not in first_line:
                first_line[span] = number
                segments.append(segment)
                continue
            segment = f"has the same times as line {first_line[span]}"
        problems.append(f"{path}:{number}: {segment}")
    return segments, problems


def _parse(number: int, line: str, talk: str) -> StmSegment | str:
    """A segment, or what is wrong with its line."""
    match = _LINE.fullmatch(line)
    if not match:
        return f"is not '<talk> <channel> <speaker> <start> <end> <<label>> <words>': {line[:80]!r}"
    name, speaker, start, end, text = match.groups(default="")
    segment = StmSegment(number, speaker, Decimal(start), Decimal(end), text)
    if name != talk:
        return f"is a line of the talk {name}, expected {talk}, the name of the file"
    if segment.start_s < 0:
        return f"starts at {start} s, before the recording"
    if segment.end_s - segment.start_s < SHORTEST_S:
        return f"ends at {end} s, expected {SHORTEST_S} s or more after its start at {start} s"
    return segment


def count_overlaps(spans: Sequence[Span]) -> int:
    """How many segments start before one that started earlier has ended."""
    overlaps, latest_end = 0, Decimal(0)
    for start, end in sorted(spans):
        overlaps += start < latest_end
        latest_end = max(latest_end, end)
    return overlaps


def extend(spans: Sequence[Span], duration_s: Decimal) -> list[Span]:
    """Lengthens the segments of a recording into the silence around them, as Kaldi does in TED-LIUM's training set.

    Each starts up to 0.15 s earlier and ends up to 0.1 s later, on a multiple of 0.01 s, as far as its neighbours leave
    room. If two segments compete for a gap, the start of the later one comes first. No segment becomes shorter:
    overlapping segments stay as they are.

    :param spans: within the recording, in any order
    :param duration_s: of the recording, which no segment leaves
    """
    extended = list(spans)
    order = sorted(range(len(spans)), key=spans.__getitem__)
    previous_end = Decimal(0)
    for index, following in zip_longest(order, order[1:]):
        start, end = spans[index]
        earliest = max(start - START_PADDING_S, previous_end)
        latest = duration_s if following is None else spans[following][0] - START_PADDING_S
        extended[index] = (
            min(start, _hundredths(earliest, ROUND_CEILING)),
            max(end, _hundredths(min(end + END_PADDING_S, latest), ROUND_FLOOR)),
        )
        previous_end = max(previous_end, extended[index][1])
    return extended


def _hundredths(time_s: Decimal, rounding: str) -> Decimal:
    return time_s.quantize(Decimal("0.01"), rounding)


def spoken_words(text: str) -> tuple[str, int]:
    """The words of a segment as the paper's setup has them, and the number of markers left out.

    Upper case; ``IMISS`` and ``UPTHEIR`` are two words each; an apostrophe between letters starts a word (``IT'S`` is
    ``IT 'S``), as in most of the corpus. Markers that stand for no word are left out: ``(2)``, the number of a
    pronunciation, ``<sil>``, and noises such as ``{NOISE}``; the first release has them. Anything else stays, even
    ``<unk>`` of the third release: it stands for spoken words, which no transcript may lose.
    """
    text, markers = _MARKERS.subn(" ", normalise_text(text))
    text = text.replace("IMISS", "I MISS").replace("UPTHEIR", "UP THEIR")
    return normalise_text(re.sub(r"(?<=\w)'(?=[A-Z])", " '", text)), markers
