"""Turns clean speech into recordings, with rooms, microphones and noise."""

from __future__ import annotations

import numpy as np

from ctc_kd.frames import SAMPLE_RATE_HZ

from .acoustics import Acoustics
from .espeak import fast_length


def record(
    speech: np.ndarray, acoustics: Acoustics, rng: np.random.Generator, *, instead: np.ndarray | None = None
) -> np.ndarray:
    """Records clean speech ``[T]`` in a random room, as int16 ``[T]``. The direct sound is not delayed.

    :param instead: the same speech with other pauses, ``[T']``. It is recorded as ``speech`` would be, in the same room
        with the same levels of speech and noise, and ``rng`` is left as it would be
    """
    room = _room(acoustics, rng)
    gains_db = rng.uniform(-acoustics.channel_db, acoustics.channel_db, 5)
    heard, slope = _reverberant(speech, room, gains_db), rng.uniform(*acoustics.noise_slope)
    noise = _noise(len(speech), slope, rng)
    noise *= np.sqrt(np.mean(heard**2) / np.mean(noise**2)) * _amplitude(-rng.uniform(*acoustics.snr_db))
    heard += noise
    gain = _amplitude(rng.uniform(*acoustics.peak_db)) / np.abs(heard).max()
    if instead is not None:
        other = _noise(len(instead), slope, rng.spawn(1)[0])
        other *= np.sqrt(np.mean(noise**2) / np.mean(other**2))
        heard = _reverberant(instead, room, gains_db) + other
    return np.round((heard * gain).clip(-1.0, 1.0) * 32767).astype(np.int16)


def _reverberant(speech: np.ndarray, room: np.ndarray, gains_db: np.ndarray) -> np.ndarray:
    size = fast_length(len(speech) + len(room))
    spectrum = np.fft.rfft(speech, size) * np.fft.rfft(room, size) * _channel(gains_db, size // 2 + 1)
    return np.fft.irfft(spectrum, size)[: len(speech)]


def _amplitude(level_db: float) -> float:
    return 10.0 ** (level_db / 20.0)


def _room(acoustics: Acoustics, rng: np.random.Generator) -> np.ndarray:
    """An impulse response: the direct sound, then exponentially decaying noise."""
    decay_s = rng.uniform(*acoustics.reverberation_s)
    time_s = np.arange(1, int(decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    echo = rng.standard_normal(len(time_s)) * 10.0 ** (-3.0 * time_s / decay_s)
    echo[: rng.integers(16, 160)] = 0.0  # the first echo travels 0.3 to 3 m farther than the direct sound
    level = _amplitude(-rng.uniform(*acoustics.direct_to_reverberant_db))
    return np.concatenate([[1.0], echo * level / np.sqrt(np.sum(echo**2))])


def _channel(gains_db: np.ndarray, num_bins: int) -> np.ndarray:
    """A smooth frequency response ``[num_bins]`` through gains at five frequencies."""
    position = np.sqrt(np.linspace(0.0, 1.0, num_bins))  # places more of the gains at low frequencies
    return 10.0 ** (np.interp(position, np.linspace(0.0, 1.0, 5), gains_db) / 20.0)


def _noise(num_samples: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    size = fast_length(num_samples)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequency = np.maximum(np.arange(len(spectrum)), len(spectrum) / 200)  # flat below 40 Hz
    return np.fft.irfft(spectrum * frequency ** (-slope / 2), size)[:num_samples]
