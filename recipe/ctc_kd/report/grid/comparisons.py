"""Which rows the test of significance compares."""

from __future__ import annotations

from collections.abc import Iterable


def row_key(method: str, weight: float | None) -> str:
    """The name of a row in ``SignificanceJob``: ``baseline``, ``all-l0.9``. Dev chooses its hyper-parameter."""
    return method if weight is None else f"{method}-l{weight:g}"


def comparisons(groups: Iterable[tuple[str, float | None]]) -> dict[str, list[str]]:
    """What ``SignificanceJob(against=...)`` compares: each student with the baseline and with plain KD at its scale.

    :param groups: ``(method, weight)`` of all rows that are scored on test
    """
    keys = {row_key(*group): group for group in groups}
    against = {}
    for key, (method, weight) in keys.items():
        others = [other for other in ("baseline", row_key("all", weight)) if other in keys and other != key]
        if method not in ("teacher", "baseline") and others:
            against[key] = others
    return against
