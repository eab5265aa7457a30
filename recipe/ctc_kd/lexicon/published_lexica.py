"""The lexica that come with LibriSpeech and TED-LIUM v2."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.corpus.word_lists import entries
from ctc_kd.files import text_lines, write_lines
from ctc_kd.lexicon.pronunciations import Lexicon, lexicon_of, write_lexicon

TEDLIUM_CORRECTIONS: Lexicon = {"'D": [("D",)], "'LL": [("L",)]}
"""The ends of *she'd* and *she'll*, which the dictionary spells as letters, ``D IY`` and ``EH L EH L``."""


class PublishedLexiconJob(Job):
    """Reads a published dictionary, and keeps each pronunciation of a word once, without stress.

    For ``librispeech-lexicon.txt`` (OpenSLR 11) and ``TEDLIUM.152k.dic`` of release 2. The published recipe of TED-LIUM
    drops one word by name, which is not English and has a senseless pronunciation. This job leaves out that word and
    all others that have letters outside A-Z (such as ``bartók``) or are no words (``goals_new``): 141 of 152,212.

    ``out_left_out``: these words.

    :param dictionary: the file as published
    :param corrections: pronunciations that replace those of the dictionary's words
    """

    def __init__(self, *, dictionary: tk.Path, corrections: Lexicon | None = None):
        self.dictionary = dictionary
        self.corrections = corrections or {}
        self.out_lexicon = self.output_path("lexicon.txt")
        self.out_left_out = self.output_path("left_out.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        source = self.dictionary.get_path()
        lexicon, others = lexicon_of(entries(text_lines(source), name=source))
        left_out = list(dict.fromkeys(entry.written for entry in others))
        if not lexicon:
            raise ValueError(f"{source}: no word with a pronunciation; is it the file of the release?")
        lexicon.update({word: spoken for word, spoken in self.corrections.items() if word in lexicon})
        write_lexicon(self.out_lexicon.get_path(), lexicon)
        write_lines(self.out_left_out.get_path(), left_out)
        print(f"{len(lexicon)} words with {sum(map(len, lexicon.values()))} pronunciations")
        print(f"left out for characters outside A-Z and ': {len(left_out)} words: {' '.join(left_out[:200])}")
