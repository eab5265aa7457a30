"""English words in the International Phonetic Alphabet, for teachers whose labels are IPA phonemes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain

from sisyphus import Job, Task, tk

from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.corpus.word_lists import entries
from ctc_kd.files import text_lines
from ctc_kd.inventory import normalise
from ctc_kd.lexicon.lexica import cmu_lines
from ctc_kd.lexicon.pronunciations import Lexicon, write_lexicon

# fmt: off
IPA = {
    "AA": "ɑ", "AE": "æ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "t͡ʃ", "D": "d", "DH": "ð", "EH": "ɛ",
    "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "g", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "d͡ʒ", "K": "k", "L": "l",
    "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t",
    "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
    "AH0": "ə", "AH1": "ʌ", "AH2": "ʌ",
}
# fmt: on
"""ARPAbet as General American is written in IPA, by the labels of ``hama``. Only AH depends on the stress."""

ARPABET = {ipa: phoneme.rstrip("012") for phoneme, ipa in IPA.items()} | {"ɚ": "ER", "ɡ": "G", "r": "R"}
"""What a label of ``hama`` is in ARPAbet without stress, for English; with the other signs for the same phoneme."""


class IpaLexiconJob(Job):
    """Writes the pronunciations of the CMU Pronouncing Dictionary in IPA, for the words of some texts.

    Words that the dictionary lacks are left out and counted: they cannot be recognised.

    :param texts: one sentence per line, in either case
    :param transcripts: utterance ids and words
    """

    __sis_hash_exclude__ = {"transcripts": ()}

    def __init__(self, *, texts: Sequence[tk.Path], transcripts: Sequence[tk.Path] = ()):
        self.texts = texts
        self.transcripts = transcripts
        self.out_lexicon = self.output_path("lexicon.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        dictionary = cmu_in_ipa(cmu_lines())
        upper = partial(normalise, case="upper")
        lines = (upper(line) for path in self.texts for line in text_lines(path.get_path()))
        said = (text for path in self.transcripts for text in read_transcripts(path.get_path(), upper).values())
        words = {word for line in chain(lines, said) for word in line.split()}
        wanted = sorted(words)
        lexicon = {word: dictionary[word] for word in wanted if word in dictionary}
        write_lexicon(self.out_lexicon.get_path(), lexicon)
        missing = [word for word in wanted if word not in dictionary]
        print(f"{len(lexicon)} words; {len(missing)} left out that cmudict lacks, such as {' '.join(missing[:20])}")


def cmu_in_ipa(lines: Iterable[str]) -> Lexicon:
    """:param lines: of the dictionary, with stress"""
    lexicon: Lexicon = {}
    for entry in entries(lines, name="cmudict"):
        if not entry.fault:
            labels = tuple(IPA[phoneme] if phoneme in IPA else IPA[phoneme.rstrip("012")] for phoneme in entry.rest)
            spellings = lexicon.setdefault(entry.word, [])
            if labels not in spellings:
                spellings.append(labels)
    return lexicon
