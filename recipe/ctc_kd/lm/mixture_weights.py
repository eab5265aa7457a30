"""Chooses the weights of a mixture of language models that predicts transcripts best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.lm.statistics import knows_no_word

if TYPE_CHECKING:
    import numpy as np

SMALLEST_STEP = 1e-7
MAX_STEPS = 100_000


class MixtureWeightsJob(Job):
    """Chooses the weights of a linear mixture by expectation maximisation (the likelihood has a single maximum).

    Words that no model knows are left out. A model that lacks a word gives it the probability of ``<unk>``, as in
    :class:`~ctc_kd.lm.mixture.MixLmsJob`.

    :param lms: KenLM binaries or ARPA files
    :param transcripts: of the development set; sentence ends are predicted too

    ``out_weights``: JSON list, in the order of ``lms``. ``out_perplexities``: JSON, ``mixture`` and the list
    ``components``, all on the same words.
    """

    def __init__(self, *, lms: Sequence[tk.Path], transcripts: tk.Path):
        if not lms:
            raise ValueError("lms: no model to mix")
        self.lms = lms
        self.transcripts = transcripts
        self.out_weights = self.output_path("weights.json")
        self.out_perplexities = self.output_path("perplexities.json")
        self.rqmt = {"cpu": 1, "mem": 16, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import numpy as np

        from ctc_kd.corpus.transcripts import read_transcripts

        sentences = list(read_transcripts(self.transcripts.get_path()).values())
        paths = [lm.get_path() for lm in self.lms]
        probabilities = word_probabilities(paths, sentences)
        if not probabilities.size:
            raise ValueError(f"{self.transcripts.get_path()}: no sentence, nothing to choose weights by")
        *_, (weights, log_likelihood) = mixture_weights(probabilities)
        perplexity = float(np.exp(-log_likelihood))
        components = np.exp(-np.log(probabilities).mean(1)).tolist()
        for path, weight, component in zip(paths, weights, components, strict=True):
            print(f"weight {weight:.6f}, perplexity {component:.2f}: {path}")
        print(f"perplexity of the mixture {perplexity:.2f}, on {probabilities.shape[1]} words")
        write_json(self.out_perplexities.get_path(), {"mixture": perplexity, "components": components})
        write_json(self.out_weights.get_path(), weights.tolist())


def word_probabilities(paths: Sequence[str], sentences: Sequence[str]) -> np.ndarray:
    """The probability ``[models, words]`` that each model gives to each word that at least one of them knows.

    :raises ValueError: a model knows none of the words
    """
    import kenlm
    import numpy as np

    num_words = sum(len(sentence.split()) for sentence in sentences)
    log10_p, unknown = [], []
    for path in paths:  # one after the other, so that only one is in memory
        model = kenlm.Model(path)
        scores = [score for sentence in sentences for score in model.full_scores(sentence, bos=True, eos=True)]
        log10_p.append([score[0] for score in scores])
        unknown.append([score[2] for score in scores])
        if num_words and sum(unknown[-1]) == num_words:  # it knows the ends of sentences alone
            raise knows_no_word(path)
    return 10 ** np.array(log10_p)[:, ~np.array(unknown).all(0)]


def mixture_weights(probabilities: np.ndarray) -> Iterable[tuple[np.ndarray, float]]:
    """Yields the weights ``[models]`` after each step, until one changes none of them by :data:`SMALLEST_STEP`.

    Models that are much alike still change after :data:`MAX_STEPS`. Then the mean log likelihood is within
    ``log(models) / MAX_STEPS`` of its maximum, because EM began with equal weights, and the steps end there.

    :param probabilities: ``[models, words]``
    :return: pairs of weights and their mean log likelihood per word (natural logarithm), which never falls
    """
    import numpy as np

    weights = np.full(len(probabilities), 1 / len(probabilities))
    for _ in range(MAX_STEPS):
        mixture = weights @ probabilities
        yield weights, float(np.log(mixture).mean())
        stepped = weights * (probabilities / mixture).mean(1)
        if np.abs(stepped - weights).max() < SMALLEST_STEP:
            return
        weights = stepped
