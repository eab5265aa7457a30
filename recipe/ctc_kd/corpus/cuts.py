"""Utterances as lhotse manifests: one ``MonoCut`` for each, whose id is the utterance id."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lhotse import MonoCut, Recording


def whole_recording_cut(utterance: str, *, audio: str, num_samples: int, sample_rate_hz: int, speaker: str) -> MonoCut:
    """The cut of an utterance that has an audio file to itself; its supervision carries the speaker and no text."""
    from lhotse import AudioSource, MonoCut, Recording, SupervisionSegment

    duration = num_samples / sample_rate_hz
    return MonoCut(
        id=utterance,
        start=0.0,
        duration=duration,
        channel=0,
        supervisions=[
            SupervisionSegment(id=utterance, recording_id=utterance, start=0.0, duration=duration, speaker=speaker)
        ],
        recording=Recording(
            id=utterance,
            sources=[AudioSource(type="file", channels=[0], source=audio)],
            sampling_rate=sample_rate_hz,
            num_samples=num_samples,
            duration=duration,
        ),
    )


def segment_cut(utterance: str, *, recording: Recording, start: int, num_samples: int, speaker: str) -> MonoCut:
    """The cut of an utterance within a longer recording, without text; ``start`` in samples."""
    from lhotse import MonoCut, SupervisionSegment

    duration = num_samples / recording.sampling_rate
    supervision = SupervisionSegment(
        id=utterance, recording_id=recording.id, start=0.0, duration=duration, speaker=speaker
    )
    return MonoCut(
        id=utterance,
        start=start / recording.sampling_rate,
        duration=duration,
        channel=0,
        supervisions=[supervision],
        recording=recording,
    )


def write_cuts(path: str, cuts: Iterable[MonoCut]):
    """Write ``<path>`` (``.jsonl.gz``); it appears only when it is complete."""
    from lhotse import CutSet

    folder, name = os.path.split(os.fspath(path))
    partial = os.path.join(folder, f"partial-{name}")  # lhotse chooses the format by the ending
    CutSet.from_cuts(cuts).to_file(partial)
    os.replace(partial, path)


def read_cuts(path: str) -> Iterator[MonoCut]:
    """All cuts in file order, read one after the other."""
    from lhotse import CutSet

    yield from CutSet.from_jsonl_lazy(os.fspath(path))
