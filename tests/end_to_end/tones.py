"""Speech for tests: each phoneme is a tone of its own."""

import numpy as np

from ctc_kd.lexicon.inventory import PHONEMES

SAMPLE_RATE_HZ = 16000


def speak(phonemes, rng):
    """0.15 s for each phoneme between 0.1 s of silence, with noise on everything."""
    time_s = np.arange(2400) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * (300 + 190 * PHONEMES.index(phoneme)) * time_s) for phoneme in phonemes]
    audio = np.concatenate([np.zeros(1600), *tones, np.zeros(1600)])
    return 0.3 * audio + 0.01 * rng.standard_normal(len(audio))
