"""The probabilities that a language model gives to the n-grams of other models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ctc_kd.lm.arpa import NEVER, ArpaReader
from ctc_kd.lm.ngram_tree import NgramTree, find

UNKNOWN = b"<unk>"


class Component:
    """Follows an :class:`~ctc_kd.lm.ngram_tree.NgramTree`, order by order, with the probabilities of one ARPA model.

    ``log10_p`` ``[N]`` float32: what a query of the model returns for each n-gram of the tree's highest order, that is,
    with back-off if the model does not list the n-gram, and as ``<unk>`` if it does not know the word.

    Use: :meth:`start`; then for each order :meth:`read`, ``tree.add_order``, :meth:`follow`.
    """

    def __init__(self, path: str):
        self.reader = ArpaReader(path)
        self.words, *self.unigrams = self.reader.unigrams()

    def start(self, ids: Mapping[bytes, int]):
        """:param ids: word -> integer, for all words of the tree; the model may have others"""
        self.ids = {word: ids.get(word, -1) for word in self.words}
        log10_p, log10_backoff = self.unigrams
        unknown = log10_p[self.words.index(UNKNOWN)] if UNKNOWN in self.ids else NEVER
        indices = np.array(list(self.ids.values()))
        self._set(len(ids), np.float32(unknown), indices, log10_p, log10_backoff)

    def read(self, tree: NgramTree) -> np.ndarray:
        """Reads the model's own n-grams of the order after the tree's last; returns their keys.

        N-grams with words outside of the tree are left out.
        """
        order = len(tree.keys) + 1
        if order > len(self.reader.counts):
            self.section = np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32)
            return self.section[0]
        ngrams, log10_p, log10_backoff = self.reader.section(order, self.ids)
        unknown = self.ids.get(UNKNOWN, -1)
        if unknown >= 0 and (ngrams == unknown).any():
            raise ValueError(f"{self.reader.path}: {order}-grams with <unk>, expected none (lmplz makes none)")
        keys = tree.keys_of(ngrams)
        known = (keys >= 0) & (ngrams >= 0).all(1)
        if not known.all():
            keys, log10_p, log10_backoff = keys[known], log10_p[known], log10_backoff[known]
        self.section = keys, log10_p, log10_backoff
        return keys

    def follow(self, tree: NgramTree):
        """Proceeds to the order that was added to the tree."""
        keys, log10_p, log10_backoff = self.section
        del self.section
        backed_off = self.log10_backoff[tree.prefixes(len(tree.keys))]
        backed_off += self.log10_p[tree.suffixes[-1]]
        self._set(len(backed_off), backed_off, find(tree.keys[-1], keys), log10_p, log10_backoff)

    def _set(self, size, others, indices, log10_p, log10_backoff):
        """Sets the model's own values at ``indices`` (negative ones are not in the tree), and ``others`` elsewhere."""
        listed = indices >= 0
        self.log10_p = np.broadcast_to(others, size).copy()
        self.log10_p[indices[listed]] = log10_p[listed]
        self.log10_backoff = np.zeros(size, np.float32)
        self.log10_backoff[indices[listed]] = log10_backoff[listed]
