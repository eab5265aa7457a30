"""Transcripts as text files: one line ``utterance-id WORD WORD ...`` for each utterance.

Files of all corpora look alike. Those of the paper's corpora have words of ``A-Z'`` only, which their readers check.
Those of one's own corpora have any script and either case; :func:`read_texts` returns them as they are.
"""

from __future__ import annotations

import os
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping

from ctc_kd.files import text_lines, write_lines
from ctc_kd.inventory import read_inventory

CHARACTERS = frozenset(string.ascii_uppercase + "'")
"""The characters of a word, as in LibriSpeech's transcripts."""


def normalise_text(text: str) -> str:
    """Upper case, one space between words, none around them; only a-z change, so that no ``ß`` becomes ``SS``."""
    return " ".join(text.encode().upper().decode().split())


def normalise_spaces(text: str) -> str:
    """One space between words, none around them, whatever kind of white space it was; characters in the form NFC."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def unknown_characters(text: str) -> list[str]:
    """What a normalised text must not contain: the characters outside :data:`CHARACTERS`, sorted."""
    return sorted(set(text) - CHARACTERS - {" "})


def fault_of_words(text: str) -> str | None:
    """What is wrong with the words of a normalised text, so that no lexicon can have them; None if nothing."""
    unknown = unknown_characters(text)
    if unknown:
        return f"unknown characters {' '.join(map(repr, unknown))} in {text!r}, expected A-Z and '"
    if any(not word.strip("'") for word in text.split()):
        return f"a word without a letter in {text!r}"
    return None


def fault_of_characters(text: str) -> str | None:
    """What no text file can have, in a text of any script; None if nothing."""
    unwritable = sorted({character for character in text if character == "\0" or "\ud800" <= character <= "\udfff"})
    return f"the characters {' '.join(map(repr, unwritable))}, expected text" if unwritable else None


def match_transcripts(
    lines: Iterable[tuple[str, str, str]],
    audio: Mapping[str, str],
    fault_of_text: Callable[[str], str | None] = fault_of_words,
) -> tuple[dict[str, str], list[str]]:
    """Transcripts by utterance, and what is wrong: every utterance needs audio and exactly one transcript of words.

    :param lines: ``(place, utterance, normalised text)``, the place being a file, or a file and a line
    :param audio: utterance -> audio file
    :param fault_of_text: what is wrong with a normalised text that is not empty; None if nothing
    """
    transcripts, problems = {}, []
    for place, utterance, text in lines:
        fault = fault_of(text, known=utterance in audio, seen=utterance in transcripts) or fault_of_text(text)
        if fault:
            problems.append(f"utterance {utterance}: {place}: {fault}")
        transcripts[utterance] = text
    problems += [
        f"utterance {utterance}: {path} has no transcript"
        for utterance, path in sorted(audio.items())
        if utterance not in transcripts
    ]
    return transcripts, problems


def fault_of(text: str, *, known: bool, seen: bool) -> str | None:
    """What is wrong with a transcript, None if nothing.

    :param known: whether there is audio of the utterance
    :param seen: whether it has a transcript already
    """
    if seen:
        return "a second transcript"
    if not known:
        return "a transcript, but no audio"
    return None if text else "an empty transcript"


def transcript_lines(path: str, normalise: Callable[[str], str] = normalise_text) -> Iterator[tuple[str, str, str]]:
    """``(file and line, utterance, normalised text)``; empty lines and comments (``;;``) are skipped."""
    for number, line in enumerate(text_lines(path), 1):
        fields = line.split()
        if fields and not fields[0].startswith(";;"):
            yield f"{os.fspath(path)}:{number}", fields[0], normalise(" ".join(fields[1:]))


def read_texts(path: str) -> dict[str, str]:
    """As :func:`read_transcripts`, but in the case and script that the file has, see :func:`normalise_spaces`."""
    return read_transcripts(path, normalise_spaces)


def read_transcripts(path: str, normalise: Callable[[str], str] = normalise_text) -> dict[str, str]:
    """Utterance id -> words in upper case, in file order; an utterance may have no words (an empty hypothesis).

    :raises ValueError: an utterance id occurs twice, or the file is not UTF-8 text
    """
    transcripts = {}
    for place, utterance, words in transcript_lines(path, normalise):
        if utterance in transcripts:
            raise ValueError(f"{place}: utterance {utterance} occurs a second time")
        transcripts[utterance] = words
    return transcripts


def read_normalised(path: str, inventory: str | None) -> dict[str, str]:
    """As :func:`read_transcripts`, but as the labels of an inventory are written.

    :param inventory: its file; None for upper case, in which words with phonemes are
    """
    return read_transcripts(path, read_inventory(inventory).normalised if inventory else normalise_text)


def write_transcripts(path: str, transcripts: Mapping[str, str]):
    """The inverse of :func:`read_transcripts`; the file appears only when it is complete."""
    write_lines(path, (f"{utterance} {words}".rstrip() for utterance, words in transcripts.items()))
