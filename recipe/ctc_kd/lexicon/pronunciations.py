"""Pronunciation lexica as text files: one line ``WORD PH PH PH`` for each pronunciation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ctc_kd.files import write_lines
from ctc_kd.lexicon.inventory import PHONEMES

Lexicon = dict[str, list[tuple[str, ...]]]
"""Word -> its pronunciations, the first one first; base phonemes, no stress, no end-of-word marks."""


def read_lexicon(path: str) -> Lexicon:
    """Words and pronunciations in file order.

    :raises ValueError: a word without phonemes, or with an unknown one
    """
    known = frozenset(PHONEMES)
    lexicon: Lexicon = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            word, *pronunciation = line.split()
            if not pronunciation or not known.issuperset(pronunciation):
                raise ValueError(
                    f"{os.fspath(path)}:{number}: {line.strip()!r}: expected a word and ARPAbet phonemes without stress"
                )
            lexicon.setdefault(word, []).append(tuple(pronunciation))
    return lexicon


def write_lexicon(path: str, lexicon: Mapping[str, Sequence[Sequence[str]]]):
    """The inverse of :func:`read_lexicon`; the file appears only when it is complete."""
    entries = ((word, pronunciation) for word, pronunciations in lexicon.items() for pronunciation in pronunciations)
    write_lines(path, (" ".join([word, *pronunciation]) for word, pronunciation in entries))
