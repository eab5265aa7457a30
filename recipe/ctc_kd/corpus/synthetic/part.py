"""Audio and transcripts of one part of the demo corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import soundfile

from ctc_kd.corpus.synthetic.acoustics import Acoustics, Pauses
from ctc_kd.corpus.synthetic.espeak import Espeak
from ctc_kd.corpus.synthetic.recording import record
from ctc_kd.corpus.synthetic.speakers import Speaker
from ctc_kd.frames import SAMPLE_RATE_HZ

CHAPTER_OFFSET = 120000


def write_part(
    folder: str,
    speakers: list[Speaker],
    seconds: float,
    acoustics: Acoustics,
    pauses: Pauses,
    transcribed: bool,
    seed: int,
) -> list[tuple[int, str, float, str]]:
    """Lets each speaker talk for ``seconds`` or a little longer; returns rows of (speaker, sex, minutes, voice)."""
    espeak = Espeak(seed)
    rows = []
    for speaker in speakers:
        rng = np.random.default_rng([seed, speaker.number])
        recordings = _recordings(speaker, espeak, acoustics, pauses, rng)
        spoken = _write_chapter(folder, speaker, seconds, recordings, transcribed)
        name = f"eSpeak NG {speaker.voice.accent}+{speaker.voice.variant}"
        rows.append((speaker.number, speaker.sex, spoken / 60, name))
    return rows


def _recordings(speaker: Speaker, espeak: Espeak, acoustics: Acoustics, pauses: Pauses, rng) -> Iterator[np.ndarray]:
    """int16 ``[T]`` of each sentence."""
    for sentence in speaker.sentences:
        speech = espeak.speak(with_commas(sentence, pauses.word_share, rng), speaker.voice).audio
        silence = (rng.uniform(*pauses.edge_s, size=2) * SAMPLE_RATE_HZ).astype(int)
        yield record(np.pad(speech, silence), acoustics, rng)


def with_commas(sentence: str, share: float, rng: np.random.Generator) -> str:
    """Puts commas, at which eSpeak pauses, after a random share of the words, but not after the last one."""
    *words, last = sentence.split()
    return " ".join([*(word + "," * int(rng.random() < share) for word in words), last])


def _write_chapter(folder, speaker: Speaker, seconds, recordings: Iterator[np.ndarray], transcribed) -> float:
    chapter = f"{speaker.number}-{CHAPTER_OFFSET + speaker.number}"
    folder = os.path.join(folder, *chapter.split("-"))
    os.makedirs(folder)
    spoken, lines = 0.0, []
    for index, (sentence, audio) in enumerate(zip(speaker.sentences, recordings, strict=False)):
        utterance = f"{chapter}-{index:04d}"
        soundfile.write(os.path.join(folder, f"{utterance}.flac"), audio, SAMPLE_RATE_HZ, subtype="PCM_16")
        lines.append(f"{utterance} {sentence}\n")
        spoken += len(audio) / SAMPLE_RATE_HZ
        if spoken >= seconds:
            break
    if transcribed:
        with open(os.path.join(folder, f"{chapter}.trans.txt"), "w", encoding="utf-8") as file:
            file.writelines(lines)
    return spoken
