"""Who speaks: eSpeak's English accents and its voice variants, divided between the demo and pre-training."""

from __future__ import annotations

import random

from .espeak import Voice

ACCENTS = (
    "en-us en-us en-us en en en-gb-scotland en-gb-x-rp en-gb-x-gbclan en-gb-x-gbcwmd en-029 en-us-nyc".split()
)  # an accent that is listed more often is drawn more often

FEMALE = frozenset(
    "f1 f2 f3 f4 f5 Alicia Andrea Annie anika aunty belinda grandma linda shelby steph steph2 steph3".split()
)

# Every variant of the wheel that sounds like a person. The variants of train, dev and test occur nowhere else.
# Untranscribed shares some with pre-training: a pre-trained encoder may have heard the speakers of such audio.
DEMO_VARIANTS = {
    "train": "f2 f4 Annie belinda steph m1 m3 m7 Andy Denis Lee Mike boris david iven2 john pablo robert".split(),
    "dev": "f1 anika m2 Hugo klatt4 travis".split(),
    "test": [
        *"f3 f5 Andrea linda sandro shelby m4 m5 m8 Alex AnxiousAndy Gene Mario Michael Storm caleb croak".split(),
        *"edward2 ian kaukovalta max norbert quincy".split(),
        "Mr serious",
    ],
    "untranscribed": "Alicia aunty grandma steph2 m6 Henrique Jacky Marco adam antonio ed paul rob victor".split(),
}
PRETRAINING_VARIANTS = (
    "Alicia aunty grandma steph2 steph3 m6 Diogo Gene2 Henrique Jacky Marco Nguyen Reed adam antonio benjamin ed "
    "edward grandpa gustave iven iven3 iven4 klatt klatt2 klatt3 klatt5 klatt6 marcelo michel miguel mike2 paul pedro "
    "rob victor zac announcer fast"
).split()


def draw_voice(variant: str, words_per_minute: tuple[int, int], rng: random.Random) -> Voice:
    """Draws a speaker with this variant: a random accent, pitch and vocal tract, and a speed in the given range."""
    return Voice(
        accent=rng.choice(ACCENTS),
        variant=variant,
        words_per_minute=rng.randint(*words_per_minute),
        pitch=rng.randint(30, 70),
        pitch_range=rng.randint(30, 70),
        vocal_tract=round(rng.uniform(0.9, 1.12), 3),
    )
