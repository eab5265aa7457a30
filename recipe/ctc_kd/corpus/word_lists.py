"""Lines that begin with a word, as lexica and word lists have them, from programs or written by hand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import dropwhile
from typing import NamedTuple

from ctc_kd.corpus.problems import refuse
from ctc_kd.corpus.transcripts import fault_of_words, normalise_text
from ctc_kd.files import text_lines

COMMENT = re.compile(r"^\s*;;.*|(?:^|\s)#.*")
VARIANT = re.compile(r"(?<=.)\(\d+\)$")
NUMBER = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?")


class Entry(NamedTuple):
    """
    :param place: file and line, and what stands there
    :param written: the word as it stands there, without the ``(2)`` that marks a further pronunciation
    :param word: in upper case, as transcripts have it
    :param rest: the fields behind the word, without the numbers that come first, such as a probability
    """

    place: str
    written: str
    word: str
    rest: list[str]

    @property
    def fault(self) -> str | None:
        """Why no transcript can have the word; None if one can."""
        return fault_of_words(self.word)


def entries(lines: Iterable[str], *, name: str) -> Iterator[Entry]:
    """Reads ``word``, or ``word field field``. Empty lines and comments, from ``;;`` or ``#`` on, are skipped.

    :param name: of the file
    """
    for number, line in enumerate(lines, 1):
        fields = COMMENT.sub("", line).split()
        if fields:
            word = VARIANT.sub("", fields[0])
            rest = list(dropwhile(NUMBER.fullmatch, fields[1:]))
            yield Entry(f"{os.fspath(name)}:{number}: {line.strip()!r}", word, normalise_text(word), rest)


def read_words(path: str) -> list[str]:
    """The words of a list or a lexicon, the first of each line, in the order of first appearance.

    :raises CorpusError: a word that no transcript can have
    """
    found = list(entries(text_lines(path), name=path))
    check_words(found, path)
    return list(dict.fromkeys(entry.word for entry in found))


def check_words(found: Iterable[Entry], path: str):
    """:raises CorpusError: a word that no transcript can have"""
    refuse(
        [f"{entry.place}: {entry.fault}" for entry in found if entry.fault],
        where=os.fspath(path),
        remedy="Correct or remove these lines; of a whole dictionary, PublishedLexiconJob leaves out such words.",
    )
