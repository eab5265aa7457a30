"""How well a distance finds the pseudo labels that are wrong, where references exist (K2D section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

WRONG = 0.4
"""A label with a higher true error rate should be dropped."""

ALPHAS = tuple(tenth / 10 for tenth in range(1, 10))


def auroc(distances: Sequence[float], wrong: Sequence[bool]) -> float | None:
    """The probability that a wrong label is farther away than a right one, ties counting half; None without both."""
    number = sum(wrong)
    if not 0 < number < len(wrong):
        return None
    order = sorted(range(len(distances)), key=distances.__getitem__)
    ranks, start = [0.0] * len(order), 0
    while start < len(order):
        end = start
        while end < len(order) and distances[order[end]] == distances[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        start = end
    below = sum(rank for rank, is_wrong in zip(ranks, wrong, strict=True) if is_wrong) - number * (number + 1) / 2
    return below / (number * (len(wrong) - number))


def recall(distances: Sequence[float], wrong: Sequence[bool], alpha: float) -> float | None:
    """The share of wrong labels that are dropped at ``alpha``; None if no label is wrong."""
    dropped = [distance > alpha for distance, is_wrong in zip(distances, wrong, strict=True) if is_wrong]
    return sum(dropped) / len(dropped) if dropped else None


def kept_share(distances: Sequence[float], seconds: Sequence[float], alpha: float) -> float:
    """The share of the time that is kept at ``alpha``."""
    kept = sum(length for distance, length in zip(distances, seconds, strict=True) if distance <= alpha)
    return kept / sum(seconds)


def recalls(distances: Sequence[float], wrong: Sequence[bool], seconds: Sequence[float]) -> dict[str, float | None]:
    """As the paper's table: over the alphas 0.1, ..., 0.9 the mean, and the highest that keeps half of the time."""
    found = {alpha: recall(distances, wrong, alpha) for alpha in ALPHAS}
    if None in found.values():
        return {"mean": None, "highest": None}
    keeping_half = [found[alpha] for alpha in ALPHAS if kept_share(distances, seconds, alpha) >= 0.5]
    return {"mean": sum(found.values()) / len(found), "highest": max(keeping_half, default=None)}
