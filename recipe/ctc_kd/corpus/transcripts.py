"""Transcripts as text files: one line ``utterance-id WORD WORD ...`` for each utterance."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping

from ctc_kd.files import write_lines

CHARACTERS = frozenset(string.ascii_uppercase + "'")
"""The characters of a word, as in LibriSpeech's transcripts."""


def normalise_text(text: str) -> str:
    """Upper case, one space between words, none around them; only a-z change, so that no ``ß`` becomes ``SS``."""
    return " ".join(text.encode().upper().decode().split())


def unknown_characters(text: str) -> list[str]:
    """What a normalised text must not contain: the characters outside :data:`CHARACTERS`, sorted."""
    return sorted(set(text) - CHARACTERS - {" "})


def fault_of(utterance: str, text: str, *, audio: dict, seen: dict) -> str | None:
    """What is wrong with a transcript, None if nothing."""
    if utterance in seen:
        return "a second transcript"
    if utterance not in audio:
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
