"""Which rows are compared with which others by the test of significance."""

from __future__ import annotations

from collections.abc import Iterable


def row_key(method: str, weight: float | None) -> str:
    """What a row is called in ``SignificanceJob``: ``baseline``, ``all-l0.9``; its hyper-parameter is found on dev."""
    return method if weight is None else f"{method}-l{weight:g}"


def comparisons(groups: Iterable[tuple[str, float | None]]) -> dict[str, list[str]]:
    """``SignificanceJob(against=...)``: each student with the baseline, and with plain KD of its distillation scale.

    :param groups: ``(method, weight)`` of all rows that are scored on test
    """
    keys = {row_key(*group): group for group in groups}
    against = {}
    for key, (_, weight) in keys.items():
        others = [other for other in ("baseline", row_key("all", weight)) if other in keys and other != key]
        if weight is not None and others:
            against[key] = others
    return against
