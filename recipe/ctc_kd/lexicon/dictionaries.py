"""Reads published pronunciation dictionaries: stress digits, marked variants, words that no transcript can have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctc_kd.corpus.transcripts import CHARACTERS
from ctc_kd.lexicon.inventory import PHONEMES
from ctc_kd.lexicon.pronunciations import Lexicon

VARIANT = re.compile(r"\(\d+\)$")


def parse_dictionary(lines: Iterable[str], *, name: str) -> tuple[Lexicon, list[str]]:
    """``(lexicon, words left out)`` of lines ``word PH0 PH PH1``, in the order of first appearance.

    ``word(2)``, ... are further pronunciations of ``word``. Stress digits are dropped, and pronunciations that are then
    equal count once. Words become upper case. A word with characters outside
    :data:`ctc_kd.corpus.transcripts.CHARACTERS` cannot occur in a transcript and is left out.

    :param name: the dictionary's name in errors
    :raises ValueError: an entry without phonemes, or with an unknown one
    """
    known = frozenset(PHONEMES)
    lexicon: dict[str, dict[tuple[str, ...], None]] = {}
    left_out: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        word, *phonemes = line.split()
        pronunciation = tuple(phoneme.rstrip("012") for phoneme in phonemes)
        if not pronunciation or not known.issuperset(pronunciation):
            raise ValueError(f"{name}:{number}: {line.strip()!r}: expected a word and ARPAbet phonemes")
        word = VARIANT.sub("", word)
        if word.isascii() and CHARACTERS.issuperset(word.upper()):  # the upper case of some others is A-Z
            lexicon.setdefault(word.upper(), {})[pronunciation] = None
        else:
            left_out[word] = None
    return {word: list(pronunciations) for word, pronunciations in lexicon.items()}, list(left_out)
