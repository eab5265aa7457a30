"""Loops, the typical fault of decoders that read their own output: the same characters again and again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

EVALUATED_N, EVALUATED_MOST, EVALUATED_CHARACTERS = 6, 4, 100


@dataclass(frozen=True)
class LoopRule:
    """A text loops if a sequence of ``n`` characters, spaces left out, occurs more than ``most`` times.

    The paper does not give the numbers; the defaults are those of the work that followed it (Taiwan-Whisper).
    """

    n: int = 6
    most: int = 5

    def __post_init__(self):
        if self.n < 1 or self.most < 1:
            raise ValueError(f"sequences of {self.n} characters, at most {self.most} times: expected 1 or more of both")

    def loops(self, text: str) -> bool:
        return most_frequent(text, self.n) > self.most


def most_frequent(text: str, n: int) -> int:
    """How often the most frequent sequence of ``n`` characters occurs, spaces left out; occurrences may overlap."""
    characters = "".join(text.split())
    counts = Counter(characters[start : start + n] for start in range(len(characters) - n + 1))
    return max(counts.values(), default=0)


def count_loops(text: str) -> int:
    """The number of loops in the output for a test set: a sequence of 6 characters for the fifth time is one.

    Counting starts again after each loop, and every 100 characters, so that long texts do not count as loops.
    """
    characters = "".join(text.split())
    loops, begin, counts = 0, 0, Counter()
    for start in range(len(characters) - EVALUATED_N + 1):
        if start - begin >= EVALUATED_CHARACTERS:
            begin, counts = start, Counter()
        sequence = characters[start : start + EVALUATED_N]
        counts[sequence] += 1
        if counts[sequence] > EVALUATED_MOST:
            loops, begin, counts = loops + 1, start + 1, Counter()
    return loops
