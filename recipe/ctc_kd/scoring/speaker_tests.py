"""Is a difference in WER more than chance? Paired tests of two rows over the speakers of an evaluation set.

Errors of one speaker are not independent, so speakers are what is swapped or drawn, with all their utterances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FEW_SPEAKERS = 20
"""With fewer speakers the intervals of the bootstrap are too narrow, and p is exact."""

SAMPLES = 10_000
SEED = 1

ROUNDING = 1e-6
"""Errors are whole numbers, or means over seeds: sums of them that differ by less are equal."""


def draws(speakers: int, samples: int = SAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each speaker occurs in each bootstrap sample, ``[samples, speakers]``.

    A sample has as many speakers as there are, drawn with replacement.
    """
    import numpy as np

    return np.random.default_rng(seed).multinomial(speakers, [1 / speakers] * speakers, size=samples)


def interval(surplus: np.ndarray, words: np.ndarray, samples: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a difference in WER, in points.

    With few speakers it holds the true difference less often than that: of 100 pairs of equal rows in about 77 with 4
    speakers, 85 with 6, 91 with 12, 92 with 20.

    :param surplus: by how many errors one row exceeds the other, ``[speakers]``
    :param words: ``[speakers]``
    :param samples: see :func:`draws`
    """
    import numpy as np

    low, high = np.percentile(100 * (samples @ surplus) / (samples @ words), [2.5, 97.5])
    return float(low), float(high)


def sign_flip_p(surplus: np.ndarray) -> float:
    """The share of ways to swap the two rows, speaker by speaker, that differ by at least as much; two-sided.

    If the rows are equal, a speaker's errors could as well be those of the other row. So p < 0.05 occurs in at most 5
    of 100 pairs of equal rows, whatever the number of speakers. With few speakers all ways are counted, and p is never
    below ``2 / 2**speakers``; otherwise the observed way and :data:`SAMPLES` random ones.

    :param surplus: by how many errors one row exceeds the other, ``[speakers]``
    """
    import numpy as np

    if len(surplus) < FEW_SPEAKERS:
        sums = np.zeros(1)
        for errors in surplus:
            sums = np.concatenate([sums + errors, sums - errors])
    else:
        generator, size = np.random.default_rng(SEED), (SAMPLES // 10, len(surplus))  # in parts, to save memory
        parts = [generator.choice([-1.0, 1.0], size=size) @ surplus for _ in range(10)]
        sums = np.append(parts, surplus.sum())
    return float(np.mean(np.abs(sums) >= abs(surplus.sum()) - ROUNDING))


def correct(tests: Sequence[dict]):
    """Adds ``holm`` to tests with ``p``, see :func:`holm`."""
    for found, p in zip(tests, holm([found["p"] for found in tests]), strict=True):
        found["holm"] = p


def holm(ps: Sequence[float]) -> list[float]:
    """Corrects p for the number of comparisons (S. Holm, 1979).

    Where all rows are equal, any corrected p is below 0.05 in at most 5 of 100 tables.
    """
    corrected, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        corrected[index] = largest
    return corrected
