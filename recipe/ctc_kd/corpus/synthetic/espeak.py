"""eSpeak NG through ctypes: text to 16 kHz speech with eSpeak's own phoneme alignment.

The library comes with the wheel ``espeakng-loader``. It is global to its process and remembers what it said before
(the phase of its vibrato, for example), so equal results need equal histories. Every part of a corpus is therefore
spoken by a process of its own, see :func:`in_fresh_process`.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ctc_kd.frames import SAMPLE_RATE_HZ

SILENCE = "_"

# Constants of speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS, _INITIALIZE_DONT_EXIT = 0x0001, 0x8000
_EVENT_LIST_TERMINATED, _EVENT_PHONEME = 0, 7
_RATE, _PITCH, _RANGE = 1, 3, 4
_CHARACTERS_UTF8, _POSITION_CHARACTER = 1, 1
_LONGEST_DATA_PATH = 150


@dataclass(frozen=True)
class Voice:
    """
    Attributes:
        accent: an English voice of eSpeak, ``en-us``
        variant: one of its voice variants, ``f3``
        words_per_minute: 80 to 450
        pitch: 0 to 100
        pitch_range: 0 (monotone) to 100
        vocal_tract: factor that stretches the spectrum, like a shorter vocal tract; it raises pitch but keeps speed
    """

    accent: str
    variant: str
    words_per_minute: int = 170
    pitch: int = 50
    pitch_range: int = 50
    vocal_tract: float = 1.0


class Speech(NamedTuple):
    """``audio``: float64 ``[T]`` at 16 kHz in [-1, 1]; ``units``: (first sample, eSpeak phoneme without stress)."""

    audio: np.ndarray
    units: list[tuple[int, str]]


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The synthesiser. One per process.

    :param seed: of the library's random numbers (breath noise)
    :raises RuntimeError: the library cannot be started, or lacks a voice
    """

    def __init__(self, seed: int):
        import espeakng_loader

        data = os.path.realpath(espeakng_loader.get_data_path())
        if len(data) > _LONGEST_DATA_PATH:
            raise RuntimeError(
                f"{data}: eSpeak cannot open data under such a long path, install it under a shorter one"
            )
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        options = _INITIALIZE_PHONEME_EVENTS | _INITIALIZE_DONT_EXIT
        self._rate_hz = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data.encode(), options)
        if self._rate_hz <= 0:
            raise RuntimeError(f"eSpeak NG does not start with its data in {data}: reinstall espeakng-loader")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        self._variants = os.listdir(os.path.join(data, "voices", "!v"))
        self._chunks: list[np.ndarray] = []
        self._phonemes: list[tuple[int, str]] = []
        self._callback = _Callback(self._receive)  # kept alive: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples, num_samples: int, events) -> int:
        if samples and num_samples > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (num_samples,)).copy())
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            if events[index].type == _EVENT_PHONEME:
                unit = _unit(events[index].id.string)
                if unit:
                    self._phonemes.append((events[index].sample, unit))
            index += 1
        return 0

    def speak(self, text: str, voice: Voice) -> Speech:
        """Lower-case ``text`` in ``voice``, with its phonemes (a pause is :data:`SILENCE`)."""
        name = f"{voice.accent}+{voice.variant}"
        # eSpeak itself silently ignores a variant that it does not have.
        if voice.variant not in self._variants or self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise RuntimeError(f"eSpeak NG has no voice {name}")
        rate = round(voice.words_per_minute / voice.vocal_tract)
        for parameter, value in ((_RATE, rate), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._phonemes = [], []
        data = text.lower().encode()
        flags = (0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None)
        if self._library.espeak_Synth(data, len(data) + 1, *flags) != 0 or not self._chunks:
            raise RuntimeError(f"eSpeak NG could not speak {text!r} in {voice}")
        audio = np.concatenate(self._chunks) / 32768.0
        ratio = SAMPLE_RATE_HZ / (self._rate_hz * voice.vocal_tract)
        units = [(0, SILENCE), *((round(sample * ratio), unit) for sample, unit in self._phonemes)]
        return Speech(resample(audio, ratio), units)


def _unit(mnemonic: bytes) -> str:
    """An eSpeak phoneme without stress, length or palatalisation marks (nothing, if it was such a mark)."""
    name = mnemonic.decode(errors="replace")
    return SILENCE if name.startswith("_") else name.strip("',%=;:|")


def fast_length(length: int) -> int:
    """The next length whose Fourier transform is fast: 2, 3, 4, 5, 6 or 7 times a power of two."""
    power = 1 << max(length.bit_length() - 3, 0)
    return -(-length // power) * power


def resample(audio: np.ndarray, ratio: float) -> np.ndarray:
    """``[T]`` to ``[round(T * ratio)]`` over the same time, band-limited by cutting or extending the spectrum."""
    padded = fast_length(len(audio))
    num_samples = round(padded * ratio)
    spectrum = np.fft.rfft(audio, padded)[: num_samples // 2 + 1]
    return np.fft.irfft(spectrum, num_samples)[: round(len(audio) * ratio)] * ratio


def in_fresh_process(function: Callable, *args) -> Any:
    """Runs ``function(*args)`` in a forked process, in which eSpeak has not spoken yet."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        return pool.submit(function, *args).result()
