"""N-grams as sorted integers: the n-grams of a context stand together and are found by bisection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ctc_kd.files import complete_file
from ctc_kd.lm.arpa import LINES_AT_ONCE, ArpaReader, write_section

TINY = 1e-9  # below the rounding errors of an ARPA file's sums of probabilities


class NgramTree:
    """N-grams of the orders 1, 2, ...; the first words and the last words of each are n-grams one order below.

    ``keys[n - 1]`` ``[N]`` int64, ascending: ``prefix * num_words + word``, where ``prefix`` is the index of the first
    n - 1 words among the keys one order below. ``suffixes[n - 1]`` ``[N]`` int64: the index of the last n - 1 words
    among those keys.
    """

    def __init__(self, num_words: int):
        self.num_words = num_words
        self.keys = [np.arange(num_words)]
        self.suffixes = [np.zeros(num_words, np.int64)]

    def keys_of(self, ngrams: np.ndarray) -> np.ndarray:
        """Keys of n-grams ``[N, order]`` whose lower orders are in the tree; negative if the prefix is unknown."""
        prefix = ngrams[:, 0].astype(np.int64)
        for keys, word in zip(self.keys[1:], ngrams.T[1:-1], strict=False):
            prefix = find(keys, prefix * self.num_words + word)
        return prefix * self.num_words + ngrams[:, -1]

    def add_order(self, keys: np.ndarray):
        """Add the next order.

        :param keys: ascending, each once
        :raises ValueError: the last words of an n-gram are no n-gram of the tree
        """
        prefixes, words = np.divmod(keys, self.num_words)
        suffixes = find(self.keys[-1], self.suffixes[-1][prefixes] * self.num_words + words)
        if len(suffixes) and suffixes.min() < 0:
            raise ValueError(
                f"{(suffixes < 0).sum()} {len(self.keys) + 1}-grams without their last words one order below"
            )
        self.keys.append(keys)
        self.suffixes.append(suffixes)

    def prefixes(self, order: int) -> np.ndarray:
        return self.keys[order - 1] // self.num_words

    def ngrams(self, order: int, indices: np.ndarray) -> np.ndarray:
        """The words of some n-grams ``[N, order]``, the inverse of :meth:`keys_of`."""
        words = np.empty((len(indices), order), np.int64)
        for place in reversed(range(order)):
            indices, words[:, place] = np.divmod(self.keys[place][indices], self.num_words)
        return words


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The index of each wanted key in the ascending ``keys``; -1 if it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1)
    indices = np.searchsorted(keys, wanted)
    return np.where(keys.take(indices, mode="clip") == wanted, indices, -1)


def power10(log10: np.ndarray) -> np.ndarray:
    """``10 ** x`` as float64, faster than numpy's power."""
    return np.exp(log10.astype(float) * math.log(10))


def backoff_weights(
    prefixes: np.ndarray, log10_p: np.ndarray, log10_lower: np.ndarray, num_contexts: int
) -> np.ndarray:
    """The log10 back-off weights ``[num_contexts]`` with which each context's probabilities sum to one.

    :param prefixes: the context of each n-gram ``[N]``
    :param log10_p: of each n-gram ``[N]``
    :param log10_lower: of its last word after the shortened context ``[N]``
    """
    left = 1 - np.bincount(prefixes, power10(log10_p), num_contexts)
    left_lower = 1 - np.bincount(prefixes, power10(log10_lower), num_contexts)
    return (np.log10(left.clip(TINY)) - np.log10(left_lower.clip(TINY))).astype(np.float32)


@dataclass
class BackoffModel:
    """``log10_p[n - 1]`` and ``log10_backoff[n - 1]`` ``[N]`` float32: of the n-grams of ``tree.keys[n - 1]``."""

    words: Sequence[bytes]
    tree: NgramTree
    log10_p: list[np.ndarray] = field(default_factory=list)
    log10_backoff: list[np.ndarray] = field(default_factory=list)


def read_model(path: str) -> BackoffModel:
    """Read an ARPA model, which must contain the first and the last words of each n-gram.

    :raises ValueError: first or last words are missing, an n-gram occurs twice, or the file is no ARPA file
    """
    reader = ArpaReader(path)
    words, log10_p, log10_backoff = reader.unigrams()
    model = BackoffModel(words, NgramTree(len(words)), [log10_p], [log10_backoff])
    ids = {word: index for index, word in enumerate(words)}
    for order in range(2, len(reader.counts) + 1):
        ngrams, log10_p, log10_backoff = reader.section(order, ids)
        keys = model.tree.keys_of(ngrams)
        del ngrams
        by_key = np.argsort(keys, kind="stable")  # stable: fast if they are sorted already
        keys = keys[by_key]
        if len(keys) and (keys[0] < 0 or (keys[1:] == keys[:-1]).any()):
            raise ValueError(f"{path}: {order}-grams without their first words one order below, or that occur twice")
        try:
            model.tree.add_order(keys)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; expected an unpruned model") from None
        model.log10_p.append(log10_p[by_key])
        model.log10_backoff.append(log10_backoff[by_key])
    return model


def write_model(path: str, model: BackoffModel, kept: Sequence[np.ndarray] | None = None):
    """Write a model in ARPA format; the file appears only when it is complete.

    :param kept: for each order, the indices of the n-grams to write, ascending; None for all of them
    """
    tree = model.tree
    kept = kept or [np.arange(len(keys)) for keys in tree.keys]
    kept = [indices for indices in kept if len(indices)]  # only the highest orders can be empty
    with complete_file(path) as partial, open(partial, "wb", buffering=1 << 20) as file:
        file.write(b"\\data\\\n" + b"".join(b"ngram %d=%d\n" % (n, len(some)) for n, some in enumerate(kept, 1)))
        for order, indices in enumerate(kept, 1):
            file.write(b"\n\\%d-grams:\n" % order)
            for start in range(0, len(indices), LINES_AT_ONCE):
                piece = indices[start : start + LINES_AT_ONCE]
                backoff = model.log10_backoff[order - 1][piece] if order < len(kept) else None
                ngrams = tree.ngrams(order, piece)
                write_section(file, model.words, ngrams, model.log10_p[order - 1][piece], backoff)
        file.write(b"\n\\end\\\n")
