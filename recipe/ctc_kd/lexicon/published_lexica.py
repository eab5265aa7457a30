"""The lexica that come with LibriSpeech and TED-LIUM v2."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.files import text_lines, write_lines
from ctc_kd.lexicon.dictionaries import parse_dictionary
from ctc_kd.lexicon.pronunciations import Lexicon, write_lexicon

TEDLIUM_CORRECTIONS: Lexicon = {"'D": [("D",)], "'LL": [("L",)]}
"""The ends of *she'd* and *she'll*, which the dictionary spells as letters, ``D IY`` and ``EH L EH L``."""


class LibriSpeechLexiconJob(Job):
    """``librispeech-lexicon.txt`` (OpenSLR 11) without stress, each pronunciation of a word once.

    ``out_left_out``: the words that no transcript can have, see :func:`ctc_kd.lexicon.dictionaries.parse_dictionary`.

    :param lexicon: the file as published
    """

    def __init__(self, *, lexicon: tk.Path):
        self.lexicon = lexicon
        self.out_lexicon = self.output_path("lexicon.txt")
        self.out_left_out = self.output_path("left_out.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        convert(self.lexicon.get_path(), self.out_lexicon.get_path(), self.out_left_out.get_path())


class TedliumLexiconJob(Job):
    """``TEDLIUM.152k.dic`` of release 2, with its variants merged, and ``'d`` and ``'ll`` corrected.

    The published recipe drops one word by name, which is not English and has a senseless pronunciation. Here it goes
    with the others that have letters outside A-Z (such as ``bartók``) or are no words (``goals_new``): 141 of 152,212.

    ``out_left_out``: these words, see :func:`ctc_kd.lexicon.dictionaries.parse_dictionary`.

    :param dictionary: the file as published
    """

    def __init__(self, *, dictionary: tk.Path):
        self.dictionary = dictionary
        self.out_lexicon = self.output_path("lexicon.txt")
        self.out_left_out = self.output_path("left_out.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        convert(
            self.dictionary.get_path(),
            self.out_lexicon.get_path(),
            self.out_left_out.get_path(),
            corrections=TEDLIUM_CORRECTIONS,
        )


def convert(source: str, out_lexicon: str, out_left_out: str, *, corrections: Lexicon | None = None):
    """:param corrections: pronunciations that replace those of the source's words"""
    lexicon, left_out = parse_dictionary(text_lines(source), name=source)
    if not lexicon:
        raise ValueError(f"{source}: no word with a pronunciation; is it the file of the release?")
    lexicon.update({word: spoken for word, spoken in (corrections or {}).items() if word in lexicon})
    write_lexicon(out_lexicon, lexicon)
    write_lines(out_left_out, left_out)
    print(f"{len(lexicon)} words with {sum(map(len, lexicon.values()))} pronunciations")
    print(f"left out for characters outside A-Z and ': {len(left_out)} words: {' '.join(left_out[:200])}")
