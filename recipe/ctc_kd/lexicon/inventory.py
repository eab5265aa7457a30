"""The label inventories: 39 ARPAbet phonemes without stress, each also as the last phoneme of a word."""

from __future__ import annotations

from collections.abc import Sequence

# fmt: off
PHONEMES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)
# fmt: on
END_OF_WORD = "#"
UNKNOWN = "[UNKNOWN]"
BLANK = "[blank]"


def labels(*, unknown_label: bool = False) -> list[str]:
    """The 78 labels: the phonemes, then their end-of-word twins in the same order.

    :param unknown_label: add a 79th label between the two, as the published LibriSpeech models do; no word is spelled
        with it, so it is never a target
    """
    return [*PHONEMES, *([UNKNOWN] * unknown_label), *(phoneme + END_OF_WORD for phoneme in PHONEMES)]


INVENTORIES = {len(names) + 1: [*names, BLANK] for names in (labels(), labels(unknown_label=True))}
"""The classes of acoustic models by their number, 79 or 80; blank is the last."""


def labels_with_blank(num_classes: int = 79) -> list[str]:
    """The classes of an acoustic model with ``num_classes`` outputs.

    :raises ValueError: there is no inventory of that size
    """
    if num_classes not in INVENTORIES:
        raise ValueError(f"no label inventory has {num_classes} classes: expected 79, or 80 with {UNKNOWN}")
    return list(INVENTORIES[num_classes])


def end_of_word(pronunciation: Sequence[str]) -> tuple[str, ...]:
    """``("K", "AE", "T") -> ("K", "AE", "T#")``"""
    return (*pronunciation[:-1], pronunciation[-1] + END_OF_WORD)
