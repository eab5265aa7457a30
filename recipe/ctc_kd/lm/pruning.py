"""Smaller n-gram models that predict almost as well."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sisyphus import Job, Task, tk


class PruneLmJob(Job):
    """Removes n-grams by relative entropy (Stolcke 1998, arXiv cs/0006025).

    An n-gram is removed if the perplexity would rise by less than the share ``threshold`` without it. Each n-gram is
    judged alone, in the original model. Kept are also all unigrams, and the first words and the last words of every
    n-gram that is kept (KenLM needs both; SRILM keeps only the first words). Then the back-off weights are recomputed.

    How much an n-gram matters depends on how often its context occurs. The lower orders of a Kneser-Ney model do not
    show that, because they are estimated from the number of different contexts, not from counts: such a model would
    lose the wrong n-grams (Chelba et al. 2010). The highest orders of ``histories`` show it.

    Memory: about 200 bytes for each n-gram of the highest order (measured with 4-grams).

    :param arpa: an unpruned model: the first and the last words of each n-gram are n-grams, too
    :param threshold: the paper uses 5e-10
    :param histories: ARPA models of the orders 1, 2, ... n - 1 of the same text; the k-grams of the k-gram model give
        the probability of the last word of a context of k words. None takes the model's own probabilities

    ``out_arpa``: the remaining n-grams with their old probabilities.
    """

    def __init__(self, *, arpa: tk.Path, threshold: float, histories: Sequence[tk.Path] | None = None):
        if not 0 <= threshold < math.inf:
            raise ValueError(f"threshold: {threshold}, expected a share of the perplexity, not negative")
        self.arpa = arpa
        self.threshold = threshold
        self.histories = histories
        self.out_arpa = self.output_path("lm.arpa")
        self.rqmt = {"cpu": 1, "mem": 32, "time": 8}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.lm.ngram_tree import read_model, write_model

        model = read_model(self.arpa.get_path())
        last_word = model.log10_p
        if self.histories is not None:
            last_word = [history_log10_p(model, path.get_path(), n) for n, path in enumerate(self.histories, 1)]
        if len(last_word) < len(model.log10_p) - 1:
            raise ValueError(f"{len(last_word)} histories for {self.arpa.get_path()} of order {len(model.log10_p)}")
        kept = prune(model, self.threshold, context_log10_p(model, last_word))
        for order, (indices, keys) in enumerate(zip(kept, model.tree.keys, strict=True), 1):
            print(f"{len(indices)} of {len(keys)} {order}-grams kept", flush=True)
        write_model(self.out_arpa.get_path(), model, kept)


def history_log10_p(model, path: str, order: int):
    """The log10 probabilities that another model gives to the n-grams of one order, float32 ``[N]``."""
    from ctc_kd.lm.components import Component
    from ctc_kd.lm.ngram_tree import NgramTree

    component = Component(path)
    component.start({word: index for index, word in enumerate(model.words)})
    tree = NgramTree(len(model.words))
    for keys in model.tree.keys[1:order]:
        component.read(tree)
        tree.add_order(keys)
        component.follow(tree)
    return component.log10_p


def context_log10_p(model, last_word: Sequence) -> list:
    """The log10 probability that the words of an n-gram occur somewhere, float64 ``[N]`` for all orders but the last.

    :param last_word: for each order, the log10 probability of each n-gram's last word after its first words
    """
    contexts = [last_word[0].astype(float)]
    words = list(model.words)
    # a sentence begins as often as one ends, but the model predicts only the end
    contexts[0][words.index(b"<s>")] = contexts[0][words.index(b"</s>")]
    for order in range(2, len(model.log10_p)):
        contexts.append(contexts[-1][model.tree.prefixes(order)] + last_word[order - 1])
    return contexts


def prune(model, threshold: float, contexts: Sequence) -> list:
    """Returns the indices of the n-grams that remain, for each order, and recomputes the model's back-off weights.

    :param contexts: log10 probabilities of the contexts of 1, 2, ... words
    """
    import numpy as np

    kept = [np.ones(len(keys), bool) for keys in model.tree.keys]
    needed = np.zeros(len(kept[-1]), bool)
    for order in range(len(kept), 1, -1):
        prefixes, suffixes = model.tree.prefixes(order), model.tree.suffixes[order - 1]
        some = needed | (perplexity_rise(model, order, prefixes, contexts[order - 2]) >= threshold)
        kept[order - 1] = some
        needed = np.zeros(len(kept[order - 2]), bool)
        needed[prefixes[some]] = needed[suffixes[some]] = True
    renew_backoff_weights(model, kept)
    return [np.flatnonzero(some) for some in kept]


def perplexity_rise(model, order: int, prefixes, contexts):
    """The relative rise of the perplexity ``[N]`` without each n-gram of one order, not below zero.

    Stolcke 1998, section 3: the relative entropy between the model with and without the n-gram, in closed form.
    """
    import numpy as np

    from ctc_kd.lm.ngram_tree import TINY, power10

    num_contexts = len(contexts)
    log10_p = model.log10_p[order - 1].astype(float)
    log10_lower = model.log10_p[order - 2][model.tree.suffixes[order - 1]].astype(float)
    p, lower = power10(log10_p), power10(log10_lower)
    left = (1 - np.bincount(prefixes, p, num_contexts)).clip(TINY)[prefixes]
    left_lower = (1 - np.bincount(prefixes, lower, num_contexts)).clip(TINY)[prefixes]
    new_backoff = np.log10(left + p) - np.log10(left_lower + lower)
    change = p * (log10_lower + new_backoff - log10_p)
    change += left * (new_backoff - model.log10_backoff[order - 2][prefixes])
    return np.expm1(math.log(10) * -power10(contexts[prefixes]) * change).clip(0)


def renew_backoff_weights(model, kept: Sequence):
    """Recomputes the back-off weights for the n-grams that are kept."""
    from ctc_kd.lm.ngram_tree import backoff_weights

    for order in range(2, len(kept) + 1):
        some = kept[order - 1]
        lower = model.log10_p[order - 2][model.tree.suffixes[order - 1][some]]
        model.log10_backoff[order - 2] = backoff_weights(
            model.tree.prefixes(order)[some], model.log10_p[order - 1][some], lower, len(kept[order - 2])
        )
