"""Turns clean speech into recordings, with rooms, microphones and noise."""

from __future__ import annotations

import numpy as np

from ctc_kd.frames import SAMPLE_RATE_HZ

from .acoustics import Acoustics
from .espeak import fast_length


def record(speech: np.ndarray, acoustics: Acoustics, rng: np.random.Generator) -> np.ndarray:
    """Records clean speech ``[T]`` in a random room, as int16 ``[T]``. The direct sound is not delayed."""
    room = _room(acoustics, rng)
    size = fast_length(len(speech) + len(room))
    spectrum = np.fft.rfft(speech, size) * np.fft.rfft(room, size) * _channel(acoustics, size // 2 + 1, rng)
    heard = np.fft.irfft(spectrum, size)[: len(speech)]
    noise = _noise(len(speech), rng.uniform(*acoustics.noise_slope), rng)
    noise *= np.sqrt(np.mean(heard**2) / np.mean(noise**2)) * _amplitude(-rng.uniform(*acoustics.snr_db))
    heard += noise
    heard *= _amplitude(rng.uniform(*acoustics.peak_db)) / np.abs(heard).max()
    return np.round(heard * 32767).astype(np.int16)


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


def _channel(acoustics: Acoustics, num_bins: int, rng: np.random.Generator) -> np.ndarray:
    """A smooth frequency response ``[num_bins]`` through random gains at five frequencies."""
    gains_db = rng.uniform(-acoustics.channel_db, acoustics.channel_db, 5)
    position = np.sqrt(np.linspace(0.0, 1.0, num_bins))  # places more of the gains at low frequencies
    return 10.0 ** (np.interp(position, np.linspace(0.0, 1.0, 5), gains_db) / 20.0)


def _noise(num_samples: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    size = fast_length(num_samples)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequency = np.maximum(np.arange(len(spectrum)), len(spectrum) / 200)  # flat below 40 Hz
    return np.fft.irfft(spectrum * frequency ** (-slope / 2), size)[:num_samples]
