"""Pronunciation lexica as text files: one line ``WORD PH PH PH`` for each pronunciation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ctc_kd.corpus.word_lists import VARIANT, Entry, check_words, entries
from ctc_kd.files import text_lines, write_lines
from ctc_kd.inventory import Inventory
from ctc_kd.lexicon.inventory import PHONEMES

Lexicon = dict[str, list[tuple[str, ...]]]
"""Word -> its pronunciations, the first one first; base phonemes, no stress, no end-of-word marks."""


def lexicon_of(found: Iterable[Entry]) -> tuple[Lexicon, list[Entry]]:
    """The lexicon in the order of first appearance, and the entries whose words no transcript can have.

    Phonemes become upper case and lose their stress digits; pronunciations that are then equal count once.

    :raises ValueError: an entry without phonemes, or with an unknown one
    """
    known = frozenset(PHONEMES)
    lexicon: dict[str, dict[tuple[str, ...], None]] = {}
    left_out = []
    for entry in found:
        pronunciation = tuple(phoneme.upper().rstrip("012") for phoneme in entry.rest)
        if not pronunciation or not known.issuperset(pronunciation):
            raise ValueError(f"{entry.place}: expected a word and ARPAbet phonemes")
        if entry.fault:
            left_out.append(entry)
        else:
            lexicon.setdefault(entry.word, {})[pronunciation] = None
    return {word: list(pronunciations) for word, pronunciations in lexicon.items()}, left_out


def read_lexicon(path: str) -> Lexicon:
    """Reads a lexicon as :func:`write_lexicon` writes it or as people do, see :func:`lexicon_of`.

    :raises ValueError: an entry without phonemes, or with an unknown one; or a word that no transcript can have
    """
    lexicon, left_out = lexicon_of(entries(text_lines(path), name=path))
    check_words(left_out, path)
    return lexicon


def read_spellings(path: str, inventory: Inventory) -> Lexicon:
    """Reads the lexicon of a search with any labels and words of any script: lines ``word label label``.

    Words are written as the inventory writes transcripts, so the case of the file does not matter. ``word(2)`` is a
    further spelling. There are no comments or probabilities, which could be labels. With ARPAbet
    phonemes it is :func:`read_lexicon`. The search itself checks that the labels are in the inventory.

    :raises ValueError: a word without labels
    """
    if inventory.kind == "phonemes" and set(PHONEMES) <= set(inventory.labels):
        return read_lexicon(path)
    lexicon: dict[str, dict[tuple[str, ...], None]] = {}
    for number, line in enumerate(text_lines(path), 1):
        word, *labels = line.split() or [""]
        if word and not labels:
            raise ValueError(f"{path}:{number}: {word} has no spelling, expected a word and labels")
        if word:
            lexicon.setdefault(inventory.normalised(VARIANT.sub("", word)), {})[tuple(labels)] = None
    return {word: list(spellings) for word, spellings in lexicon.items()}


def write_lexicon(path: str, lexicon: Mapping[str, Sequence[Sequence[str]]]):
    """The inverse of :func:`read_lexicon`; the file appears only when it is complete."""
    entries = ((word, pronunciation) for word, pronunciations in lexicon.items() for pronunciation in pronunciations)
    write_lines(path, (" ".join([word, *pronunciation]) for word, pronunciation in entries))
