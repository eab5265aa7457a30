"""The phonemes of the paper's models: 39 ARPAbet phonemes without stress, each also as the last phoneme of a word."""

from __future__ import annotations

from ctc_kd.inventory import BLANK, END_OF_WORD, Inventory

# fmt: off
PHONEMES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)
# fmt: on
UNKNOWN = "[UNKNOWN]"


def phonemes(num_classes: int = 79) -> Inventory:
    """The phonemes, then their end-of-word twins in the same order, then blank.

    :param num_classes: 79, or 80 with a label for unknown words between the two, as the published LibriSpeech models
        have; no word is spelled with it, so it is never a target
    :raises ValueError: there is no inventory of that size
    """
    if num_classes not in (79, 80):
        raise ValueError(f"no inventory of phonemes has {num_classes} classes: expected 79, or 80 with {UNKNOWN}")
    unknown = (UNKNOWN,) if num_classes == 80 else ()
    labels = (*PHONEMES, *unknown, *(phoneme + END_OF_WORD for phoneme in PHONEMES), BLANK)
    return Inventory("phonemes", labels, num_classes - 1, case="upper", boundary=END_OF_WORD, unspoken=unknown)
