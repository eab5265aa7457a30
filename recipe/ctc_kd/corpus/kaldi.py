"""Kaldi data folders: ``wav.scp``, and ``segments``, ``utt2spk``, ``utt2lang``, ``text`` where they are needed.

lhotse's own reader is not used: it rounds recordings down to milliseconds, so that up to 15 samples would be missing,
takes one sample rate for granted, and leaves out with a warning what it cannot read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ctc_kd.corpus.listed import AudioList, Listed, find_audio
from ctc_kd.corpus.transcripts import normalise_spaces
from ctc_kd.files import text_lines

RECORDINGS, TEXT = "wav.scp", "text"
TO_THE_END = -1
"""An end in ``segments`` that means the end of the recording."""

Mapping = dict[str, tuple[str, str]]
"""First field of a line -> file and line, and the rest of the line."""


def list_audio(files: Sequence[str]) -> AudioList:
    """The segments of one folder; without ``segments`` its recordings. Speakers are optional, see ``listed``."""
    (folder,) = files
    problems: list[str] = []
    recordings, segments, speakers, languages = (
        read_mapping(os.path.join(folder, name), problems) for name in (RECORDINGS, "segments", "utt2spk", "utt2lang")
    )
    problems += [
        f"{place}: recording {name}: a pipe ({rest}), expected an audio file; write its output to a file once"
        for name, (place, rest) in recordings.items()
        if rest.startswith("|") or rest.endswith("|")
    ]
    has_segments = os.path.exists(os.path.join(folder, "segments"))
    whole = {name: (place, f"{name} 0 {TO_THE_END}") for name, (place, _) in recordings.items()}
    utterances = segments if has_segments else whole
    problems += [
        f"{place}: utterance {name}: no audio, it is not in {'segments' if has_segments else RECORDINGS}"
        for name, (place, _) in speakers.items()
        if name not in utterances
    ]
    listed = []
    for utterance, (place, rest) in utterances.items():
        try:
            recording, start_s, end_s = _segment(rest)
        except ValueError:
            problems.append(f"{place}: utterance {utterance}: {rest!r}, expected a recording, a start and an end in s")
            continue
        if recording not in recordings:
            problems.append(f"{place}: utterance {utterance}: no audio, its recording {recording} is not in wav.scp")
            continue
        audio = find_audio(recordings[recording][1], folder=folder)
        speaker, language = (names[utterance][1] if utterance in names else None for names in (speakers, languages))
        listed.append(Listed(place, utterance, audio, speaker or recording, start_s, end_s, language))
    return AudioList(listed, problems)


def texts(files: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """``(place, utterance, text)`` of one folder."""
    (folder,) = files
    for place, utterance, text in _lines(os.path.join(folder, TEXT)):
        yield place, utterance, normalise_spaces(text)


def read_mapping(path: str, problems: list[str]) -> Mapping:
    """The lines of a file by their first field; none if there is no such file. Repetitions go to ``problems``."""
    mapping: Mapping = {}
    for place, name, rest in _lines(path) if os.path.exists(path) else ():
        if name in mapping:
            problems.append(f"{place}: {name} is listed a second time")
        mapping[name] = (place, rest)
    return mapping


def _lines(path: str) -> Iterator[tuple[str, str, str]]:
    """``(file and line, first field, the rest)``"""
    for number, line in enumerate(text_lines(path), 1):
        name, _, rest = line.strip().replace("\t", " ").partition(" ")
        if name:
            yield f"{path}:{number}", name, rest.strip()


def _segment(line: str) -> tuple[str, float, float | None]:
    """Recording, start and end in seconds.

    :raises ValueError: the line has other fields
    """
    recording, start, end = line.split()
    return recording, float(start), None if float(end) == TO_THE_END else float(end)
