"""Transcripts as text files: one line ``utterance-id WORD WORD ...`` for each utterance."""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Mapping

from ctc_kd.files import write_lines

CHARACTERS = frozenset(string.ascii_uppercase + "'")
"""The characters of a word, as in LibriSpeech's transcripts."""


def normalise_text(text: str) -> str:
    """Upper case, one space between words, none around them; only a-z change, so that no ``ß`` becomes ``SS``."""
    return " ".join(text.encode().upper().decode().split())


def unknown_characters(text: str) -> list[str]:
    """What a normalised text must not contain: the characters outside :data:`CHARACTERS`, sorted."""
    return sorted(set(text) - CHARACTERS - {" "})


def match_transcripts(
    lines: Iterable[tuple[str, str, str]], audio: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Transcripts by utterance, and what is wrong: every utterance needs audio and exactly one transcript of words.

    :param lines: ``(place, utterance, normalised text)``, the place being a file, or a file and a line
    :param audio: utterance -> audio file
    """
    transcripts, problems = {}, []
    for place, utterance, text in lines:
        fault = fault_of(text, known=utterance in audio, seen=utterance in transcripts)
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
    if not text:
        return "an empty transcript"
    unknown = unknown_characters(text)
    if unknown:
        return f"unknown characters {' '.join(map(repr, unknown))} in {text!r}, expected A-Z and '"
    return None


def read_transcripts(path: str) -> dict[str, str]:
    """Utterance id -> words, in file order; an utterance may have no words (an empty hypothesis).

    :raises ValueError: an utterance id occurs twice
    """
    transcripts = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            utterance, *words = line.split()
            if utterance in transcripts:
                raise ValueError(f"{os.fspath(path)}:{number}: utterance {utterance} occurs a second time")
            transcripts[utterance] = " ".join(words)
    return transcripts


def write_transcripts(path: str, transcripts: Mapping[str, str]):
    """The inverse of :func:`read_transcripts`; the file appears only when it is complete."""
    write_lines(path, (f"{utterance} {words}".rstrip() for utterance, words in transcripts.items()))
