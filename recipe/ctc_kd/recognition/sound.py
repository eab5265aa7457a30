"""Sound as blocks of 16 kHz mono that can be read again from the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from ctc_kd.corpus.audio_size import blocks_of, cut_short, mended
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.resampling import resampled
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np

Blocks: TypeAlias = "Callable[[], Iterator[np.ndarray]]"
"""Starts from the beginning at each call; float32 ``[T]``, a minute each but for the last."""

BLOCK_S = 60


def of_samples(samples: np.ndarray, sample_rate_hz: int) -> Blocks:
    """
    :param samples: ``[T]`` or ``[T, channels]``: floats with full scale 1, or whole numbers with that of their type
    :raises ValueError: the type, the shape or the rate makes no sense; when it is read, if a sample is not finite
    """
    import numpy as np

    samples = np.asarray(samples)
    if samples.dtype.kind not in "fiu":
        raise ValueError(f"samples of the type {samples.dtype}, expected floats or whole numbers")
    if samples.ndim not in (1, 2) or sample_rate_hz != int(sample_rate_hz) or sample_rate_hz < 1:
        raise ValueError(
            f"samples of shape {samples.shape} at {sample_rate_hz} Hz, expected [T] or [T, channels], and whole Hz"
        )
    if samples.ndim == 2 and 0 < len(samples) < samples.shape[1]:
        raise ValueError(
            f"samples of shape {samples.shape}: more channels than samples, expected [T, channels]; transpose them"
        )
    scale = 1.0 if samples.dtype.kind == "f" else 2.0 ** (np.iinfo(samples.dtype).bits - 1)
    middle = 1.0 if samples.dtype.kind == "u" else 0.0  # unsigned samples, as of 8-bit WAV, are silent at half scale
    size = BLOCK_S * int(sample_rate_hz)
    parts = lambda: (samples[start : start + size] / scale - middle for start in range(0, len(samples), size))
    return lambda: _mono(parts(), int(sample_rate_hz))


def of_file(path: str) -> Blocks:
    """Audio that libsndfile reads.

    :raises ValueError: when it is read, if it is no audio, is not whole, or a sample is not finite; names the file
    """
    return lambda: _read(path)


def _read(path: str) -> Iterator[np.ndarray]:
    import soundfile

    if os.path.isdir(path):
        raise ValueError(f"{path}: a folder, expected an audio file")
    try:
        with open(path, "rb") as file:
            if not file.seekable():
                raise CorpusError("a pipe, which can be read only once; write - and pipe into standard input")
            fault = cut_short(file)
        if fault:
            raise CorpusError(fault)
        if path.lower().endswith(".raw"):  # soundfile goes by the name
            raise CorpusError("raw samples do not say their format; give them a header, for example that of WAV")
        with soundfile.SoundFile(mended(path)) as audio:
            yield from _mono(blocks_of(audio, BLOCK_S * audio.samplerate), audio.samplerate)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = getattr(error, "error_string", None) or getattr(error, "strerror", None) or error
        remedy = "; ffmpeg -i IN OUT.flac converts it" if isinstance(error, soundfile.LibsndfileError) else ""
        fault = f"{path}: cannot be read as audio ({reason}), expected what libsndfile reads{remedy}"
        raise ValueError(fault) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _mono(blocks: Iterable[np.ndarray], sample_rate_hz: int) -> Iterator[np.ndarray]:
    """The mean of all channels; 16 kHz.

    :param blocks: ``[T]`` or ``[T, channels]``, a minute each but for the last
    """
    mixed = _mixed(blocks, sample_rate_hz)
    return mixed if sample_rate_hz == SAMPLE_RATE_HZ else resampled(mixed, sample_rate_hz)


def _mixed(blocks: Iterable[np.ndarray], sample_rate_hz: int) -> Iterator[np.ndarray]:
    import numpy as np

    begin = 0
    for block in blocks:
        mixed = (block if block.ndim == 1 else block.mean(axis=1)).astype(np.float32)
        wrong = np.flatnonzero(~np.isfinite(mixed))
        if len(wrong):
            at = (begin + wrong[0]) / sample_rate_hz
            raise ValueError(f"a sample at {at:.3f} s is {mixed[wrong[0]]}, expected finite samples; repair the audio")
        begin += len(block)
        yield mixed
