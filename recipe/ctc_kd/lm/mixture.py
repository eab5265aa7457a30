"""Makes one n-gram model of a linear mixture of several."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sisyphus import Job, Task, tk

from ctc_kd.files import read_json

SUM_TOLERANCE = 1e-3


class MixLmsJob(Job):
    """Merges n-gram models into one (static linear interpolation).

    Each n-gram ``h w`` that a component lists gets ``p(w|h) = sum_i weight_i p_i(w|h)``, where each ``p_i`` backs off
    like a query of the component. Back-off weights make the probabilities after each context sum to one. For other
    n-grams, the result approximates the mixture, because ARPA files cannot express it.

    The components must share one closed vocabulary: give it to :class:`~ctc_kd.lm.ngram.NgramLmJob`. A component that
    lacks a word gives it the probability of ``<unk>``.

    Memory: about 200 bytes for each of the result's n-grams of the highest order (measured with 4-grams and five
    components); time: about 4 microseconds for each n-gram of the components.

    :param arpas: unpruned models: the first and the last words of each n-gram are n-grams, too; orders may differ
    :param weights: JSON list, one weight for each component, summing to one
    """

    def __init__(self, *, arpas: Sequence[tk.Path], weights: tk.Path):
        self.arpas = arpas
        self.weights = weights
        self.out_arpa = self.output_path("lm.arpa")
        self.rqmt = {"cpu": 1, "mem": 32, "time": 8}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.lm.components import Component
        from ctc_kd.lm.ngram_tree import write_model

        weights = read_json(self.weights.get_path())
        if len(weights) != len(self.arpas) or min(weights) < 0 or not math.isclose(sum(weights), 1, abs_tol=1e-4):
            raise ValueError(
                f"{self.weights.get_path()}: {weights}: expected {len(self.arpas)} weights, one for each model, "
                "none negative, that sum to one"
            )
        components = [Component(arpa.get_path()) for arpa in self.arpas]
        write_model(self.out_arpa.get_path(), mix(components, weights))


def mix(components, weights: Sequence[float]):
    """Consumes the components (:class:`~ctc_kd.lm.components.Component`) and returns their mixture.

    :return: a :class:`~ctc_kd.lm.ngram_tree.BackoffModel`
    :raises ValueError: the components do not share one closed vocabulary
    """
    import numpy as np

    from ctc_kd.lm.ngram_tree import BackoffModel, NgramTree, backoff_weights

    words = list(dict.fromkeys(word for component in components for word in component.words))
    ids = {word: index for index, word in enumerate(words)}
    model = BackoffModel(words, NgramTree(len(words)))
    for component in components:
        component.start(ids)
    model.log10_p.append(log10_mixture(components, weights))
    finish_unigrams(model, ids)
    for order in range(2, max(len(component.reader.counts) for component in components) + 1):
        keys = np.unique(np.concatenate([component.read(model.tree) for component in components]))
        try:
            model.tree.add_order(keys)
        except ValueError as error:
            paths = ", ".join(component.reader.path for component in components)
            raise ValueError(f"{paths}: {error}; expected models that were not pruned") from error
        for component in components:
            component.follow(model.tree)
        model.log10_p.append(log10_mixture(components, weights))
        prefixes, lower = model.tree.prefixes(order), model.log10_p[-2][model.tree.suffixes[-1]]
        model.log10_backoff.append(backoff_weights(prefixes, model.log10_p[-1], lower, len(model.tree.keys[-2])))
        print(f"{len(keys)} {order}-grams", flush=True)
    return model


def log10_mixture(components, weights: Sequence[float]):
    """The mixture's log10 probabilities for the n-grams of the highest order so far, float32 ``[N]``."""
    import numpy as np

    from ctc_kd.lm.ngram_tree import power10

    mixture = np.zeros(len(components[0].log10_p))
    for component, weight in zip(components, weights, strict=True):
        mixture += weight * power10(component.log10_p)
    return np.log10(mixture, out=mixture).astype(np.float32)


def finish_unigrams(model, ids: dict[bytes, int]):
    """Makes ``<s>`` a word that is never predicted, and checks that the others are of one closed vocabulary."""
    from ctc_kd.lm.arpa import NEVER
    from ctc_kd.lm.ngram_tree import power10

    model.log10_p[0][ids[b"<s>"]] = NEVER
    total = power10(model.log10_p[0]).sum()
    print(f"{len(ids)} words in the models; all others of the vocabulary together have probability {1 - total:.3g}")
    if total > 1 + SUM_TOLERANCE:
        raise ValueError(
            f"the words' probabilities sum to {total:.4f}: the models were not estimated over one closed vocabulary; "
            "give it to each of them (NgramLmJob, vocabulary=...)"
        )
