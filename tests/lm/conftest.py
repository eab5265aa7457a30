"""Small models that are written without KenLM's programs."""

import math
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

ARPA = """\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-2.0\t<unk>
-99\t<s>\t-0.25
-0.5\t</s>
-0.75\tA\t-0.5
-1.0\tB\t-0.125

\\2-grams:
-0.25\t<s> B\t-0.5
-0.5\tB A
-0.5\tA </s>

\\3-grams:
-0.125\t<s> B A

\\end\\
"""


class PlainLm:
    """A back-off model as dictionaries: n-gram (tuple of words) -> probability, context -> back-off weight."""

    def __init__(self, probabilities, backoffs):
        self.probabilities, self.backoffs = probabilities, backoffs
        self.order = max(map(len, probabilities))

    def __call__(self, history, word):
        """p(word | history), as KenLM answers."""
        known = {ngram[0] for ngram in self.probabilities if len(ngram) == 1}
        history = tuple(w if w in known else "<unk>" for w in history)
        return self._back_off(history, word if word in known else "<unk>")

    def _back_off(self, history, word):
        if (*history, word) in self.probabilities or not history:
            return self.probabilities[(*history, word)]
        return self.backoffs.get(history, 1.0) * self._back_off(history[1:], word)

    def contexts(self):
        """All histories after which the model lists a word."""
        return {ngram[:-1] for ngram in self.probabilities}


def estimate(sentences, order, vocabulary, discount=0.5):
    """Absolute discounting, interpolated down to the uniform distribution of ``vocabulary``, </s> and <unk>."""
    counts, after = Counter(), {}
    for sentence in sentences:
        words = ("<s>", *sentence.split(), "</s>")
        for end in range(2, len(words) + 1):
            for start in range(max(0, end - order), end):
                counts[words[start:end]] += 1
    for ngram in counts:
        after.setdefault(ngram[:-1], []).append(ngram)
    mass, probabilities = {}, {}
    totals = {history: sum(counts[ngram] for ngram in ngrams) for history, ngrams in after.items()}
    for history, ngrams in sorted(after.items(), key=lambda item: len(item[0])):
        mass[history] = discount * len(ngrams) / totals[history]
        for ngram in ngrams:
            lower = probabilities[ngram[1:]] if history else 1 / (len(vocabulary) + 2)
            probabilities[ngram] = (counts[ngram] - discount) / totals[history] + mass[history] * lower
    probabilities[("<unk>",)] = mass[()] / (len(vocabulary) + 2)
    probabilities[("<s>",)] = 1.0  # as lmplz has it
    return PlainLm(probabilities, {history: weight for history, weight in mass.items() if history})


def write(lm, path):
    lines = ["\\data\\"]
    sections = [sorted(n for n in lm.probabilities if len(n) == order) for order in range(1, lm.order + 1)]
    lines += [f"ngram {order}={len(ngrams)}" for order, ngrams in enumerate(sections, 1)]
    for order, ngrams in enumerate(sections, 1):
        lines += ["", f"\\{order}-grams:"]
        for ngram in ngrams:
            backoff = f"\t{math.log10(lm.backoffs.get(ngram, 1)):.9g}" if order < lm.order else ""
            lines.append(f"{math.log10(lm.probabilities[ngram]):.9g}\t{' '.join(ngram)}{backoff}")
    path.write_text("\n".join([*lines, "", "\\end\\", ""]))


def read(path):
    probabilities, backoffs = {}, {}
    for line in Path(path).read_text().splitlines():
        if "\t" in line:
            log10_p, words, *backoff = line.split("\t")
            probabilities[tuple(words.split())] = 10 ** float(log10_p)
            if backoff:
                backoffs[tuple(words.split())] = 10 ** float(backoff[0])
    return PlainLm(probabilities, backoffs)


@pytest.fixture(scope="session")
def plain_lm():
    """``plain_lm.estimate(sentences, order, vocabulary)``, ``.write(lm, path)`` and ``.read(path)``."""

    return SimpleNamespace(estimate=estimate, write=write, read=read)


@pytest.fixture(scope="session")
def arpa_text():
    """A 3-gram model of two words."""
    return ARPA
