"""A tiny recognition task: a lexicon, a bigram model, and posteriors that spell given pronunciations."""

from types import SimpleNamespace

import numpy as np
import pytest

from ctc_kd.inventory import BLANK
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter

LEXICON = {
    "THE": [("DH", "AH"), ("DH", "IY")],
    "CAT": [("K", "AE", "T")],
    "SEE": [("S", "IY")],
    "SEA": [("S", "IY")],
    "SEAT": [("S", "IY", "T")],
    "ZOO": [("Z", "UW")],
}
"""ZOO is not in the language model."""

NAMES = phonemes().labels

ARPA = """\\data\\
ngram 1=8
ngram 2=5

\\1-grams:
-2.0\t<unk>
-99\t<s>\t-0.3
-0.9\t</s>
-0.7\tTHE\t-0.3
-0.9\tCAT\t-0.3
-0.8\tSEE\t-0.3
-1.1\tSEA\t-0.3
-1.2\tSEAT\t-0.3

\\2-grams:
-0.3\t<s> THE
-0.4\tTHE CAT
-0.5\tTHE SEA
-2.0\tTHE SEE
-0.6\tCAT </s>

\\end\\
"""


def spell(*pronunciations: str, confidence: float = 0.9) -> np.ndarray:
    """Log posteriors ``[T, 79]``: each phoneme has a frame of its own, with a blank frame before and after.

    :param pronunciations: base phonemes; ``S|K`` is a frame that is a bit more like S than like K
    :param confidence: probability of the phoneme; what is left goes to blank for the most part
    """
    rows = [{BLANK: 1.0}]
    for pronunciation in pronunciations:
        phonemes = pronunciation.split()
        for position, phoneme in enumerate(phonemes, 1):
            names_here = [name + "#" * (position == len(phonemes)) for name in phoneme.split("|")]
            shares = (1.0,) if len(names_here) == 1 else (0.55, 0.45)
            rows.append({name: share * confidence for name, share in zip(names_here, shares, strict=True)})
            rows[-1][BLANK] = 1 - confidence
            rows.append({BLANK: 1.0})
    posteriors = np.full((len(rows), len(NAMES)), 1e-4)
    for frame, row in enumerate(rows):
        for name, probability in row.items():
            posteriors[frame, NAMES.index(name)] += probability
    return np.log(posteriors / posteriors.sum(axis=1, keepdims=True)).astype("float16")


REFERENCES = {
    "1-1-0000": ("THE CAT", spell("DH AH", "K AE T")),
    "1-1-0001": ("THE SEA", spell("DH IY", "S IY")),
    "1-1-0002": ("THE CAT", spell("DH AH", "S|K IY|AE T")),
    "1-1-0003": ("", spell()),
    "1-1-0004": ("THE CAT THE SEAT", spell("DH AH", "K AE T", "DH IY", "S IY T")),
    "1-1-0005": ("THE CAT", spell("DH AH", "K AE T", confidence=0.3)),
}
"""Utterance -> its words and posteriors. 0002 needs the language model, 0005 the prior."""


def write_task(folder, *, num_classes: int = 79) -> dict:
    """Write the task's files and return the arguments that the search jobs share.

    :param num_classes: with 80 a class that no word has, more probable than all but the best
    """
    from sisyphus import tk

    def widen(log_probabilities):
        return log_probabilities if num_classes == 79 else np.insert(log_probabilities, 39, np.log(0.04), axis=-1)

    (folder / "lm.arpa").write_text(ARPA)
    lines = [f"{word} {' '.join(spoken)}\n" for word, variants in LEXICON.items() for spoken in variants]
    (folder / "lexicon.txt").write_text("".join(lines))
    (folder / "transcripts.txt").write_text("".join(f"{name} {words}\n" for name, (words, _) in REFERENCES.items()))
    np.savetxt(folder / "log_prior.txt", widen(np.log([0.3 / 78] * 78 + [0.7])))
    with HdfWriter(folder / "posteriors.hdf", labels=phonemes(num_classes).labels) as writer:
        for name, (_, posteriors) in REFERENCES.items():
            writer.add(name, widen(posteriors))
    files = {"posteriors": "posteriors.hdf", "prior": "log_prior.txt", "lexicon": "lexicon.txt", "lm": "lm.arpa"}
    return {name: tk.Path(str(folder / file)) for name, file in files.items()}


@pytest.fixture(scope="session")
def tiny():
    return SimpleNamespace(lexicon=LEXICON, arpa=ARPA, spell=spell, references=REFERENCES, write=write_task)
