"""Mixed units for texts of several languages: Mandarin characters and words of letters, as rates of errors count them.

The mixed error rate (MER) of code-switching, which K2D (arXiv 2407.10603) filters by, is the rate of errors in these
units. It is not the match error rate that ``jiwer`` calls ``mer``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from ctc_kd.scoring.alignment import Counts, align, count

NO_REFERENCE = 1.0
"""The error rate where the reference says nothing, as in the filter that followed K2D."""

_BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
_PARENTHESES = re.compile(r"\(([^)]+?)\)")
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[{_IDEOGRAPHS}]|[^\s{_IDEOGRAPHS}]+")
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")


def normalised(text: str, *, kept: str = "", dropped: str = "MSP") -> str:
    """A text as Whisper's basic normaliser leaves it: lower case, without marks, symbols, punctuation and brackets.

    What stands in brackets is left out, since it was not said: ``[MUSIC]``, ``<|0.00|>``.

    :param kept: characters that stay although they are punctuation, such as the apostrophe
    :param dropped: categories of Unicode that become spaces. Without marks (M) there are no words of Hindi or Thai
    """
    text = _PARENTHESES.sub("", _BRACKETS.sub("", text.lower()))
    characters = unicodedata.normalize("NFKC", text)
    spoken = "".join(
        " " if character not in kept and unicodedata.category(character)[0] in dropped else character
        for character in characters
    )
    return " ".join(spoken.lower().split())


def comparable(text: str) -> str:
    """:func:`normalised`, and characters that have a traditional and a simplified form in the simplified one."""
    text = normalised(text)
    return _simplifier().convert(text) if _IDEOGRAPH.search(text) else text


@cache
def _simplifier():
    import opencc

    return opencc.OpenCC("t2s")


def mixed_units(text: str) -> list[str]:
    """The characters of Chinese script, each a unit, and the words between them, in order."""
    return _UNIT.findall(text)


def is_ideograph(unit: str) -> bool:
    """Whether a unit of :func:`mixed_units` is a character of Chinese script."""
    return bool(_IDEOGRAPH.match(unit))


def error_rate(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Errors of the prediction, as a share of the reference's units; :data:`NO_REFERENCE` if it has none."""
    if not reference:
        return NO_REFERENCE
    counts = count(align(reference, prediction))
    return counts.errors / counts.words


def counts_by_language(prediction: Sequence[str], reference: Sequence[str]) -> tuple[Counts, Counts]:
    """The errors among the characters of Chinese script, and those among the words.

    A pair counts where its reference unit belongs; an insertion where the inserted unit does.

    :param prediction, reference: units of :func:`mixed_units`
    """
    pairs = align(reference, prediction)
    characters = [pair for pair in pairs if is_ideograph(pair[0] or pair[1])]
    return count(characters), count([pair for pair in pairs if not is_ideograph(pair[0] or pair[1])])
