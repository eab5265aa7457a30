"""Audio and transcripts of one part of the demo corpus."""

from __future__ import annotations

import os

import numpy as np
import soundfile

from ctc_kd.corpus.demo_speakers import Speaker
from ctc_kd.corpus.synth_acoustics import Acoustics
from ctc_kd.corpus.synth_recording import record
from ctc_kd.corpus.synthesis import SAMPLE_RATE_HZ, Espeak

CHAPTER_OFFSET = 120000


def write_part(
    folder: str, speakers: list[Speaker], seconds: float, acoustics: Acoustics, transcribed: bool, seed: int
) -> list[tuple[int, str, float, str]]:
    """Let each speaker talk for ``seconds`` or a little more; -> rows of (speaker, sex, minutes, voice)."""
    espeak = Espeak(seed)
    rows = []
    for speaker in speakers:
        rng = np.random.default_rng([seed, speaker.number])
        spoken = _write_chapter(folder, speaker, seconds, espeak, acoustics, transcribed, rng)
        name = f"eSpeak NG {speaker.voice.accent}+{speaker.voice.variant}"
        rows.append((speaker.number, speaker.sex, spoken / 60, name))
    return rows


def _write_chapter(folder, speaker: Speaker, seconds, espeak: Espeak, acoustics, transcribed, rng) -> float:
    chapter = f"{speaker.number}-{CHAPTER_OFFSET + speaker.number}"
    folder = os.path.join(folder, *chapter.split("-"))
    os.makedirs(folder)
    spoken, lines = 0.0, []
    for index, sentence in enumerate(speaker.sentences):
        if spoken >= seconds:
            break
        audio = record(espeak.speak(sentence, speaker.voice).audio, acoustics, rng)
        utterance = f"{chapter}-{index:04d}"
        soundfile.write(os.path.join(folder, f"{utterance}.flac"), audio, SAMPLE_RATE_HZ, subtype="PCM_16")
        lines.append(f"{utterance} {sentence}\n")
        spoken += len(audio) / SAMPLE_RATE_HZ
    if transcribed:
        with open(os.path.join(folder, f"{chapter}.trans.txt"), "w", encoding="utf-8") as file:
            file.writelines(lines)
    return spoken
