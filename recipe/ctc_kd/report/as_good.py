"""How tables show that a row is as good as another one, by a test of equivalence with a stated margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctc_kd.report.grid.significance import LEVEL


def sign(tested: Mapping[str, Any]) -> str:
    """The text behind a number: `` ≈``, or nothing.

    :param tested: an entry by ``SignificanceJob`` or ``ExchangeJob``, maybe with ``equivalence``
    """
    return " ≈" if "equivalence" in tested and shown(tested["equivalence"]) else ""


def shown(equivalence: Mapping[str, float]) -> bool:
    """Whether a difference as large as the margin is excluded."""
    return equivalence["holm"] < LEVEL


def meaning(margin: float) -> str:
    """What "as good" is, as a part of a sentence."""
    return (
        f"p of a difference of {margin:g} points or more, in either direction, is below {LEVEL}, corrected by Holm "
        "(two one-sided tests); otherwise that is open"
    )
