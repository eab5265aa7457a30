"""Utterances as lhotse manifests: one cut for each, whose id is the utterance id.

Cuts are ``MonoCut``. Only before ``ConvertAudioJob`` (``convert.py``) may an utterance have several channels
(``MultiCut``). The files are lhotse's, but its package is not used for them: it imports torch, which would be most of
what a job costs.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from ctc_kd.files import complete_file, text_lines


@dataclass(frozen=True)
class Cut:
    """An utterance, which is a recording or a part of one.

    ``fields`` is its line of the manifest. What a manifest by others has beyond our fields is kept in copies of it.
    """

    fields: dict[str, Any]

    @property
    def id(self) -> str:
        return self.fields["id"]

    @property
    def start(self) -> float:
        """Seconds from the start of the recording."""
        return self.fields["start"]

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.fields["duration"]

    @property
    def num_samples(self) -> int:
        return floor(round(self.duration * self.sample_rate_hz, 8) + 0.5)

    @property
    def sample_rate_hz(self) -> int:
        return self.recording["sampling_rate"]

    @property
    def speaker(self) -> str | None:
        return next((supervision.get("speaker") for supervision in self.fields["supervisions"]), None)

    @property
    def language(self) -> str | None:
        return next((supervision.get("language") for supervision in self.fields["supervisions"]), None)

    @property
    def channels(self) -> tuple[int, ...]:
        """Those of the recording that hold the utterance."""
        channel = self.fields["channel"]
        return (channel,) if isinstance(channel, int) else tuple(channel)

    @property
    def recording(self) -> dict[str, Any]:
        return self.fields["recording"]

    @property
    def audio(self) -> str:
        """The file with the recording."""
        return self.recording["sources"][0]["source"]

    @property
    def original_audio(self) -> str:
        """The file from which ``ConvertAudioJob`` made that of the recording, if it did."""
        return self._custom.get("converted_from", self.audio)

    @property
    def original_channels(self) -> tuple[int, ...]:
        """Those of that file."""
        return tuple(self._custom.get("channels", self.channels))

    @property
    def _custom(self) -> dict[str, Any]:
        return self.fields.get("custom") or {}

    def converted_from(self, original: Cut) -> Cut:
        custom = {"converted_from": original.audio, "channels": list(original.channels)}
        return Cut({**self.fields, "custom": custom})


def whole_recording_cut(utterance: str, *, audio: str, num_samples: int, sample_rate_hz: int, speaker: str) -> Cut:
    """The cut of an utterance that has an audio file to itself; its supervision carries the speaker and no text."""
    recording = recording_of(utterance, audio=audio, num_samples=num_samples, sample_rate_hz=sample_rate_hz)
    return segment_cut(utterance, recording=recording, start=0, num_samples=num_samples, speaker=speaker)


def recording_of(name: str, *, audio: str, num_samples: int, sample_rate_hz: int, channels: int = 1) -> dict[str, Any]:
    """A recording's part in the line of a cut."""
    return {
        "id": name,
        "sources": [{"type": "file", "channels": list(range(channels)), "source": audio}],
        "sampling_rate": sample_rate_hz,
        "num_samples": num_samples,
        "duration": num_samples / sample_rate_hz,
        "channel_ids": list(range(channels)),
    }


def segment_cut(
    utterance: str,
    *,
    recording: dict[str, Any],
    start: int,
    num_samples: int,
    speaker: str,
    language: str | None = None,
    channels: Sequence[int] = (0,),
) -> Cut:
    """The cut of an utterance within a longer recording, without text; ``start`` in samples.

    :param channels: of the recording, those that hold the utterance
    """
    duration = num_samples / recording["sampling_rate"]
    channel = channels[0] if len(channels) == 1 else list(channels)
    supervision = {
        "id": utterance,
        "recording_id": recording["id"],
        "start": 0.0,
        "duration": duration,
        "channel": channel,
        "speaker": speaker,
    }
    if language is not None:
        supervision["language"] = language
    return Cut(
        {
            "id": utterance,
            "start": start / recording["sampling_rate"],
            "duration": duration,
            "channel": channel,
            "supervisions": [supervision],
            "recording": recording,
            "type": "MonoCut" if len(channels) == 1 else "MultiCut",
        }
    )


def key_of(*facts: Any) -> str:
    """Names a partial result after what it is of: its place in a manifest that was made anew may be another's."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def write_cuts(path: str, cuts: Iterable[Cut]):
    """Write ``<path>`` (``.jsonl.gz``); it appears only when it is complete."""
    with complete_file(path) as partial, gzip.open(partial, "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(cut.fields, ensure_ascii=False)}\n" for cut in cuts)


def read_cuts(path: str) -> Iterator[Cut]:
    """All cuts in file order, read one after the other."""
    return (Cut(json.loads(line)) for line in text_lines(path))
