"""Utterances cut out of recordings, as FLAC data."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

SAMPLE_RATE_HZ = 16_000


class Segment(NamedTuple):
    """An utterance within its recording; positions in samples."""

    utterance: str
    speaker: str
    audio: str
    start: int
    num_samples: int


def encode_recording(segments: Sequence[Segment]) -> list[bytes | str]:
    """The FLAC data of each utterance of one recording, or what is wrong with it.

    The recording is decoded once. A FLAC file that is one utterance as a whole stays as it is, byte by byte; other
    utterances are encoded from 16-bit samples.
    """
    import soundfile

    try:
        with open(segments[0].audio, "rb") as file:
            content = file.read()
        with soundfile.SoundFile(io.BytesIO(content)) as audio:
            is_flac, sample_rate = audio.format == "FLAC", audio.samplerate
            samples = audio.read(dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        return [f"cannot be decoded ({error})"] * len(segments)
    if sample_rate != SAMPLE_RATE_HZ or samples.shape[1] != 1:
        return [f"{sample_rate} Hz and {samples.shape[1]} channel(s), expected {SAMPLE_RATE_HZ} Hz mono"] * len(
            segments
        )
    return [encode_segment(segment, samples[:, 0], content if is_flac else None) for segment in segments]


def encode_segment(segment: Segment, samples, flac: bytes | None) -> bytes | str:
    """:param samples: ``[T]`` int16, the recording
    :param flac: its file content if that is FLAC
    """
    import soundfile

    start, end = segment.start, segment.start + segment.num_samples
    if not 0 <= start < end <= len(samples):
        return f"samples {start} to {end} are not within the recording's {len(samples)}"
    if flac is not None and segment.num_samples == len(samples):
        return flac
    encoded = io.BytesIO()
    soundfile.write(encoded, samples[start:end], SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return encoded.getvalue()
