"""Word alignment as ``sclite`` does it, so that errors are counted as in published tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SUBSTITUTION_COST, GAP_COST = 4, 3
"""The costs of sclite, which prefers an insertion and a deletion around a hit to two substitutions. With many errors,
the sum of errors can therefore exceed the Levenshtein distance, which ``jiwer`` counts."""

Pair = tuple[str | None, str | None]
"""``(reference word, hypothesis word)``; None for an insertion or a deletion."""


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Pair]:
    """The cheapest alignment, in order.

    Among equally cheap alignments it chooses as sclite does: going backwards, a pair before an insertion before a
    deletion.
    """
    costs = _costs(reference, hypothesis)
    i, j = len(reference), len(hypothesis)
    pairs: list[Pair] = []
    while i or j:
        here = costs[i][j]
        if i and j and here == costs[i - 1][j - 1] + _pair_cost(reference[i - 1], hypothesis[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((reference[i], hypothesis[j]))
        elif j and here == costs[i][j - 1] + GAP_COST:
            j -= 1
            pairs.append((None, hypothesis[j]))
        else:
            i -= 1
            pairs.append((reference[i], None))
    return pairs[::-1]


def _pair_cost(reference_word: str, hypothesis_word: str) -> int:
    return 0 if reference_word == hypothesis_word else SUBSTITUTION_COST


def _costs(reference: Sequence[str], hypothesis: Sequence[str]) -> list[list[int]]:
    """``[i][j]``: the cost of aligning the first i reference words with the first j hypothesis words."""
    costs = [[j * GAP_COST for j in range(len(hypothesis) + 1)]]
    for i, word in enumerate(reference, 1):
        above, row = costs[-1], [i * GAP_COST]
        for j, other in enumerate(hypothesis):
            diagonal = above[j] if word == other else above[j] + SUBSTITUTION_COST
            row.append(min(diagonal, above[j + 1] + GAP_COST, row[j] + GAP_COST))
        costs.append(row)
    return costs


@dataclass(frozen=True)
class Counts:
    """Errors and words, added up over utterances."""

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def words(self) -> int:
        """Reference words."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float:
        """Word error rate in percent."""
        return 100 * self.errors / self.words


def count(pairs: Sequence[Pair]) -> Counts:
    """Hits, substitutions, deletions and insertions of an alignment."""
    hits = sum(reference == hypothesis for reference, hypothesis in pairs)
    deletions = sum(hypothesis is None for _, hypothesis in pairs)
    insertions = sum(reference is None for reference, _ in pairs)
    return Counts(hits, len(pairs) - hits - deletions - insertions, deletions, insertions)
