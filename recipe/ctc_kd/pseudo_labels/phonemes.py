"""The phonemes of texts that mix English and Mandarin: ARPAbet and pinyin, for the phoneme error rate of K2D."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ctc_kd.lexicon.pronunciations import Lexicon
from ctc_kd.scoring.units import comparable, is_ideograph, mixed_units, normalised


class MixedPhonemes:
    """Calls ``text -> phonemes``.

    :param lexicon: English words in upper case; the first pronunciation counts. A word that it lacks is spelled by its
        letters, which are equal if two texts write it alike
    """

    def __init__(self, lexicon: Lexicon):
        self.lexicon = lexicon

    def __call__(self, text: str) -> list[str]:
        phonemes: list[str] = []
        for chinese, group in groupby(_units(text), key=is_ideograph):
            if chinese:
                phonemes += pinyin("".join(group))
            else:
                phonemes += [phoneme for unit in group for phoneme in self._word(_word(unit))]
        return phonemes

    def _word(self, word: str) -> Sequence[str]:
        return self.lexicon[word][0] if word in self.lexicon else word


def words_of(text: str) -> list[str]:
    """The words of a text that are not in Chinese script, as lexica have them."""
    words = (_word(unit) for unit in _units(text) if not is_ideograph(unit))
    return [word for word in words if word]


def _units(text: str) -> list[str]:
    return mixed_units(normalised(text, kept="'’"))


def _word(unit: str) -> str:
    return unit.replace("’", "'").strip("'").upper()


def pinyin(characters: str) -> list[str]:
    """Initials and finals of Mandarin without tones.

    :param characters: of one run, whose context tells how they are read
    """
    from pypinyin import Style, lazy_pinyin

    characters = comparable(characters)
    initials = lazy_pinyin(characters, style=Style.INITIALS, strict=False)
    finals = lazy_pinyin(characters, style=Style.FINALS, strict=False)
    return [part for pair in zip(initials, finals, strict=True) for part in pair if part]
