"""Audio and transcripts of one part of the demo corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import soundfile

from ctc_kd.corpus.synthetic.acoustics import Acoustics, Pauses
from ctc_kd.corpus.synthetic.espeak import SILENCE, Espeak, Speech
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
    pause_factor: float = 1.0,
) -> list[tuple[int, str, float, str]]:
    """Lets each speaker talk for ``seconds`` or a little longer; returns rows of (speaker, sex, minutes, voice).

    :param pause_factor: of the length of all pauses. The speech and its number of sentences stay
    """
    espeak = Espeak(seed)
    rows = []
    for speaker in speakers:
        rng = np.random.default_rng([seed, speaker.number])
        recordings = _recordings(speaker, espeak, acoustics, pauses, rng, pause_factor)
        spoken = _write_chapter(folder, speaker, seconds, recordings, transcribed)
        name = f"eSpeak NG {speaker.voice.accent}+{speaker.voice.variant}"
        rows.append((speaker.number, speaker.sex, spoken / 60, name))
    return rows


def _recordings(
    speaker: Speaker, espeak: Espeak, acoustics: Acoustics, pauses: Pauses, rng, pause_factor: float
) -> Iterator[tuple[np.ndarray, float]]:
    """int16 ``[T]`` of each sentence, and its seconds with pauses as they are."""
    for sentence in speaker.sentences:
        speech = espeak.speak(with_commas(sentence, pauses.word_share, rng), speaker.voice)
        edges_s = rng.uniform(*pauses.edge_s, size=2)
        spoken = _padded(speech.audio, edges_s)
        changed = None if pause_factor == 1 else _padded(with_pauses(speech, pause_factor), pause_factor * edges_s)
        yield record(spoken, acoustics, rng, instead=changed), len(spoken) / SAMPLE_RATE_HZ


def _padded(audio: np.ndarray, edges_s: np.ndarray) -> np.ndarray:
    return np.pad(audio, (edges_s * SAMPLE_RATE_HZ).astype(int))


def with_commas(sentence: str, share: float, rng: np.random.Generator) -> str:
    """Puts commas, at which eSpeak pauses, after a random share of the words, but not after the last one."""
    *words, last = sentence.split()
    return " ".join([*(word + "," * int(rng.random() < share) for word in words), last])


def with_pauses(speech: Speech, factor: float) -> np.ndarray:
    """The speech ``[T]`` with its pauses ``factor`` times as long: silence is put into or taken out of their middle."""
    ends = [start for start, _ in speech.units[1:]] + [len(speech.audio)]
    pieces = []
    for (start, unit), end in zip(speech.units, ends, strict=True):
        piece = speech.audio[start:end]
        if unit == SILENCE:
            length = round(factor * len(piece))
            first, last = min(length, len(piece)) // 2, -(-min(length, len(piece)) // 2)
            silence = np.zeros(max(length - len(piece), 0))
            piece = np.concatenate([piece[:first], silence, piece[len(piece) - last :]])
        pieces.append(piece)
    return np.concatenate(pieces)


def _write_chapter(folder, speaker: Speaker, seconds, recordings: Iterator, transcribed) -> float:
    """Returns the seconds of its recordings."""
    chapter = f"{speaker.number}-{CHAPTER_OFFSET + speaker.number}"
    folder = os.path.join(folder, *chapter.split("-"))
    os.makedirs(folder)
    spoken, recorded, lines = 0.0, 0.0, []
    for index, (sentence, (audio, length)) in enumerate(zip(speaker.sentences, recordings, strict=False)):
        utterance = f"{chapter}-{index:04d}"
        soundfile.write(os.path.join(folder, f"{utterance}.flac"), audio, SAMPLE_RATE_HZ, subtype="PCM_16")
        lines.append(f"{utterance} {sentence}\n")
        spoken, recorded = spoken + length, recorded + len(audio) / SAMPLE_RATE_HZ
        if spoken >= seconds:
            break
    if transcribed:
        with open(os.path.join(folder, f"{chapter}.trans.txt"), "w", encoding="utf-8") as file:
            file.writelines(lines)
    return recorded
