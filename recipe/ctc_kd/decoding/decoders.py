"""The decoders of a corpus: through its lexicon, with an n-gram over labels, or the best path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ctc_kd.decoding.found import Found, found_by_labels
from ctc_kd.decoding.label_search import LabelDecoder
from ctc_kd.decoding.search import LexiconDecoder, SearchConfig
from ctc_kd.inventory import Inventory
from ctc_kd.lexicon.pronunciations import read_spellings

if TYPE_CHECKING:
    import numpy as np


class Decoder(Protocol):
    def search(self, emissions: np.ndarray, *, lm_scale: float) -> str:
        """What was said: words of a lexicon, or what the labels spell.

        :param emissions: ``[T, C]`` float32, C-contiguous, see :func:`ctc_kd.decoding.posteriors.emissions`
        """

    def found(self, emissions: np.ndarray, *, lm_scale: float) -> Found:
        """The same, with the frames of words and labels."""


class GreedyDecoder:
    """Takes the label with the highest score of each frame; there is no language model to weigh."""

    def __init__(self, *, inventory: Inventory):
        self._inventory = inventory

    def search(self, emissions: np.ndarray, *, lm_scale: float) -> str:
        return self._inventory.text(self._inventory.collapsed(emissions.argmax(axis=1).tolist()))

    def found(self, emissions: np.ndarray, *, lm_scale: float) -> Found:
        return found_by_labels(emissions.argmax(axis=1).tolist(), self._inventory)


def decoder_of(inventory: Inventory, *, lexicon: str | None, lm: str | None, config: SearchConfig) -> Decoder:
    """
    :param lexicon: of words; with it, ``lm`` is a model of words
    :param lm: without a lexicon a model of labels; None for the best path
    :raises ValueError: a lexicon comes without a language model
    """
    if lexicon is not None:
        if lm is None:
            raise ValueError(f"{lexicon}: a search for words needs a language model, too")
        words = read_spellings(lexicon, inventory)
        return LexiconDecoder(lexicon=words, lm=lm, config=config, inventory=inventory)
    if lm is not None:
        return LabelDecoder(lm=lm, config=config, inventory=inventory)
    return GreedyDecoder(inventory=inventory)
