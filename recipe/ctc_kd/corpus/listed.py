"""Utterances as files list them: tables, Kaldi folders and lhotse manifests come to the same."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from sisyphus import gs


class Listed(NamedTuple):
    """An utterance as a file lists it.

    :param place: file and line
    :param end_s: None for the end of the recording
    :param channels: those of the audio file that hold it, from 0; None for all of them
    """

    place: str
    utterance: str
    audio: str
    speaker: str
    start_s: float = 0.0
    end_s: float | None = None
    language: str | None = None
    channels: tuple[int, ...] | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with its id or its times; None if nothing."""
        if not self.utterance or self.utterance.startswith(";;"):
            return f"the id {self.utterance!r}, expected text that does not begin with ;;"
        if not 0 <= self.start_s < inf:
            return f"start {self.start_s:g} s, expected 0 or more"
        if self.end_s is not None and not self.start_s < self.end_s < inf:
            return f"start {self.start_s:g} s is not before end {self.end_s:g} s"
        return None


class AudioList(NamedTuple):
    """``problems``: what is wrong with the files that list the utterances, one line each"""

    listed: list[Listed]
    problems: list[str]


def faults_of_list(listed: Sequence[Listed]) -> list[str]:
    """Wrong ids and times, and ids that are listed more than once."""
    problems = [f"{item.place}: utterance {item.utterance}: {item.fault}" for item in listed if item.fault]
    counts = Counter(item.utterance for item in listed)
    return problems + [
        f"{item.place}: utterance {item.utterance}: the id is listed {counts[item.utterance]} times"
        for item in listed
        if counts[item.utterance] > 1
    ]


def find_audio(name: str, *, folder: str) -> str:
    """The path of an audio file. A relative one starts in ``folder``; if nothing is there, in the setup folder."""
    path = os.path.join(folder, name)
    from_setup = os.path.join(gs.BASE_DIR, name)
    return from_setup if not os.path.exists(path) and os.path.exists(from_setup) else path


def id_of_file(name: str) -> str:
    """The id of an utterance that has an audio file to itself: ``a/b c.flac`` becomes ``a-b_c``."""
    return id_of(os.path.splitext(name)[0].strip(os.sep).replace(os.sep, "-"))


def id_of(text: str) -> str:
    """An id has no white space, because files of transcripts end it there."""
    return "_".join(text.split())
