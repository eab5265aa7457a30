"""What Whisper writes where nobody speaks: phrases of the subtitles that it learnt from."""

from __future__ import annotations

from dataclasses import dataclass

from ctc_kd.scoring.units import comparable


@dataclass(frozen=True)
class Phrases:
    """
    :param whole: a text that says no more than one of these is no speech
    :param within: a text that has one of these anywhere is no speech
    """

    whole: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    def found_in(self, text: str) -> str | None:
        """The phrase that makes the text no speech; None if there is none. Case, script and punctuation are ignored."""
        text = comparable(text)
        padded = f" {text} "
        whole = (phrase for phrase in self.whole if text == comparable(phrase))
        # words only as wholes; Chinese characters have no spaces around them
        within = (p for p in self.within if f" {comparable(p)} " in padded or not p.isascii() and comparable(p) in text)
        return next(whole, None) or next(within, None)


SUBTITLES = Phrases(
    whole=("Okay.", "Mm.", "Thank you very much.", "Thank you.", "Bye.", "You", "會為大家說明"),
    within=(
        "Thank you for watching",
        "Thanks for watching",
        "Subtitles by",
        "Amara.org",
        "請不吝",
        "點贊",
        "點讚",
        "字幕提供",
        "字幕由",
        "支持明鏡",
        "點點欄目",
    ),
)
"""English and Mandarin, as seen in published lists. What lecturers do say is a fault only if nothing else is said."""
