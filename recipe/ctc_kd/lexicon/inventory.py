"""The label inventory: 39 ARPAbet phonemes without stress, each also as the last phoneme of a word."""

from __future__ import annotations

from collections.abc import Sequence

# fmt: off
PHONEMES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)
# fmt: on
END_OF_WORD = "#"
BLANK = "[blank]"


def labels() -> list[str]:
    """The 78 labels: the phonemes, then their end-of-word twins in the same order."""
    return [*PHONEMES, *(phoneme + END_OF_WORD for phoneme in PHONEMES)]


def labels_with_blank() -> list[str]:
    """The 79 classes of the acoustic models; blank is the last (index 78)."""
    return [*labels(), BLANK]


def end_of_word(pronunciation: Sequence[str]) -> tuple[str, ...]:
    """``("K", "AE", "T") -> ("K", "AE", "T#")``"""
    return (*pronunciation[:-1], pronunciation[-1] + END_OF_WORD)
