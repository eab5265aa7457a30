"""Who says what in the demo corpus. Every sentence is drawn once, so that no two parts share one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from ctc_kd.corpus.synthetic.espeak import Voice
from ctc_kd.corpus.synthetic.sentences import Grammar
from ctc_kd.corpus.synthetic.voices import DEMO_VARIANTS, FEMALE, draw_voice

WORDS_PER_MINUTE = (115, 165)
SHORTEST_SENTENCE_S = 1.2


@dataclass(frozen=True)
class Speaker:
    """``sentences``: more than the speaker will have time for."""

    number: int
    voice: Voice
    sentences: tuple[str, ...]

    @property
    def sex(self) -> str:
        return "F" if self.voice.variant in FEMALE else "M"


def plan(minutes: dict[str, float], seed: int) -> dict[str, list[Speaker]]:
    """The speakers of each part, one for each of its voice variants."""
    seen: set[str] = set()
    sentences = Grammar(seed).distinct(seen)
    drawn = random.Random(seed)
    speakers, number = {}, 100
    for part, variants in DEMO_VARIANTS.items():
        speakers[part] = []
        for variant in variants:
            number += drawn.randint(1, 40)
            voice = draw_voice(variant, WORDS_PER_MINUTE, drawn)
            enough = 1 + int(minutes.get(part, 0.0) * 60 / len(variants) / SHORTEST_SENTENCE_S)
            speakers[part].append(Speaker(number, voice, tuple(next(sentences) for _ in range(enough))))
    return speakers


def lm_sentences(minutes: dict[str, float], num_words: int, seed: int) -> Iterator[str]:
    """Sentences of at least ``num_words`` words in total, none of which a speaker of :func:`plan` may say."""
    seen = {text for speakers in plan(minutes, seed).values() for speaker in speakers for text in speaker.sentences}
    for sentence in Grammar(seed + 1).distinct(seen):
        yield sentence
        num_words -= len(sentence.split())
        if num_words <= 0:
            return
