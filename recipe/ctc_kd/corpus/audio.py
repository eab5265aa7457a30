"""Audio files: their headers, and utterances cut out of them as FLAC or Vorbis data."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ctc_kd.corpus.audio_size import cut_short, open_audio
from ctc_kd.corpus.problems import printable
from ctc_kd.corpus.speed import perturb, perturbed_length
from ctc_kd.frames import MIN_SAMPLES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    import soundfile

    from ctc_kd.corpus.cuts import Cut


class AudioFormat(NamedTuple):
    """The names of a format in libsndfile, and the ending of its files."""

    container: str
    subtype: str
    ending: str


READ_FORMATS = ("FLAC", "WAV", "WAVEX", "RF64", "OGG", "NIST")
"""libsndfile's names of the formats whose completeness can be checked."""

AUDIO_FORMATS = {"flac": AudioFormat("FLAC", "PCM_16", "flac"), "vorbis": AudioFormat("OGG", "VORBIS", "ogg")}


class Segment(NamedTuple):
    """An utterance within its recording; positions in samples."""

    utterance: str
    speaker: str
    audio: str
    start: int
    num_samples: int


class AudioInfo(NamedTuple):
    """What the header of an audio file says."""

    num_samples: int
    sample_rate_hz: int
    channels: int

    @property
    def fault(self) -> str | None:
        """How the audio differs from 16 kHz mono; None if it does not."""
        if (self.sample_rate_hz, self.channels) == (SAMPLE_RATE_HZ, 1):
            return None
        return f"{self.sample_rate_hz} Hz and {self.channels} channel(s), expected {SAMPLE_RATE_HZ} Hz mono"


def info_of(cut: Cut) -> AudioInfo:
    """Of the recording of an utterance, as the manifest has it."""
    return AudioInfo(cut.recording["num_samples"], cut.sample_rate_hz, len(cut.recording["sources"][0]["channels"]))


def read_header(path: str) -> int | str:
    """The number of samples of a 16 kHz mono file, or what is wrong with it: with its name, its header or its size."""
    info = read_info(path)
    return info if isinstance(info, str) else info.fault or info.num_samples


def read_info(path: str) -> AudioInfo | str:
    """The header of a file of any sample rate and number of channels, or what is wrong with the file."""
    import soundfile

    if printable(path) != path:
        return "its name is not UTF-8 text"
    try:
        with open_audio(path) as file:
            header, fault = soundfile.info(file), cut_short(file)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:  # TypeError: its name ends in .raw
        return f"cannot be read as audio ({error})"
    if header.format not in READ_FORMATS:
        return f"has the format {header.format}, expected one of {', '.join(READ_FORMATS)}"
    if fault:
        return fault
    if not 0 < header.frames < 2**36:  # FLAC counts with 36 bits; libsndfile reports 2**63 - 1 for a count of 0
        return "zero length: its header counts no samples"
    info = AudioInfo(header.frames, header.samplerate, header.channels)
    return too_short(info.num_samples * SAMPLE_RATE_HZ // info.sample_rate_hz) or info


def too_short(num_samples: int) -> str | None:
    """What is wrong with an utterance that is too short for a frame; None if it is long enough."""
    if num_samples < MIN_SAMPLES:
        return f"too short: {num_samples} samples, expected {MIN_SAMPLES} or more, which make a frame"
    return None


def encode_recording(
    segments: Sequence[Segment], *, audio_format: str = "flac", length_factor: float = 1.0
) -> list[bytes | str]:
    """The encoded audio of each utterance of one recording, or what is wrong with it.

    The recording is decoded once. If it is one unperturbed utterance in the wanted format, the bytes of its file are
    kept; all other utterances are encoded from 16-bit samples.
    """
    import soundfile

    wanted = AUDIO_FORMATS[audio_format]
    try:
        with open_audio(segments[0].audio) as file:
            content = file.read()
        with soundfile.SoundFile(io.BytesIO(content)) as audio:
            is_wanted, sample_rate = audio.format == wanted.container and length_factor == 1, audio.samplerate
            samples = read_samples(audio)
            fault = cut_short(io.BytesIO(content)) or damaged(audio, samples, content)
    except (soundfile.LibsndfileError, OSError) as error:
        fault = f"cannot be decoded ({error})"
    else:
        fault = fault or AudioInfo(len(samples), sample_rate, samples.shape[1]).fault
    if fault:
        return [fault] * len(segments)
    results: list[bytes | str] = []
    for segment in segments:
        start, end = segment.start, segment.start + segment.num_samples
        if not 0 <= start < end <= len(samples):
            results.append(f"samples {start} to {end} are not within the recording's {len(samples)}")
        elif fault := too_short(perturbed_length(segment.num_samples, length_factor)):
            results.append(fault)
        elif is_wanted and segment.num_samples == len(samples):
            results.append(content)
        else:
            results.append(encode(perturb(samples[start:end, 0], length_factor), wanted))
    return results


def damaged(audio: soundfile.SoundFile, samples: np.ndarray, content: bytes) -> str | None:
    """How decoded samples differ from what the header counts, and from FLAC's checksum of them; None if they do not.

    :param audio: was read to its end
    :param samples: what it returned, int16 ``[T, channels]``
    :param content: of the file
    """
    if len(samples) != audio.frames:
        return f"cannot be decoded ({len(samples)} samples, but its header counts {audio.frames})"
    # of a FLAC file libsndfile always returns as many samples as the header counts
    checksum = checksum_of(content)
    if checksum is None:
        return None
    stored: np.ndarray = samples
    if audio.subtype != "PCM_16":
        audio.seek(0)
        stored = as_stored(audio.read(dtype="int32"), audio.subtype)
    if hashlib.md5(stored, usedforsecurity=False).digest() != checksum:
        return "cannot be decoded (its samples do not match its MD5 checksum)"
    return None


def checksum_of(content: bytes) -> bytes | None:
    """The MD5 of a FLAC file's samples, from its first 42 bytes or more; None if it has none."""
    checksum = content[26:42] if content.startswith(b"fLaC") else b""
    return checksum if any(checksum) else None  # zeros mean that there is none


def as_stored(samples: np.ndarray, subtype: str) -> np.ndarray:
    """The bytes of int32 samples that a FLAC file's MD5 is of."""
    num_bytes = {"PCM_S8": 1, "PCM_16": 2, "PCM_24": 3}[subtype]
    return samples.view("uint8").reshape(-1, 4)[:, -num_bytes:].copy()


def read_samples(audio: soundfile.SoundFile) -> np.ndarray:
    """Reads int16 ``[T, channels]``. Samples of other types are rounded and clipped here, which libsndfile omits."""
    if audio.subtype == "PCM_16":
        return audio.read(audio.frames, dtype="int16", always_2d=True)  # GSM needs to hear how many
    return to_int16(audio.read(audio.frames, dtype="float32", always_2d=True))


def to_int16(samples: np.ndarray) -> np.ndarray:
    """:param samples: float32; full scale is 1"""
    return (samples * 2**15).round().clip(-(2**15), 2**15 - 1).astype("int16")


def encode(samples: np.ndarray, wanted: AudioFormat) -> bytes:
    """:param samples: ``[T]`` int16"""
    import soundfile

    encoded = io.BytesIO()
    with soundfile.SoundFile(
        encoded, "w", SAMPLE_RATE_HZ, channels=1, format=wanted.container, subtype=wanted.subtype
    ) as file:
        for start in range(0, len(samples), SAMPLE_RATE_HZ):  # libvorbis overflows the stack on minutes at once
            file.write(samples[start : start + SAMPLE_RATE_HZ])
    return encoded.getvalue()
