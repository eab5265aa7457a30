"""CTC beam search without lexicon, with an n-gram model over labels: Flashlight's decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctc_kd.decoding.found import Found, found_by_labels
from ctc_kd.decoding.search import SearchConfig, best_results
from ctc_kd.inventory import Inventory

if TYPE_CHECKING:
    import numpy as np


class LabelDecoder:
    """Finds the label sequence with the highest ``log p_AM + lm_scale * log10 p_LM`` (Viterbi: best path, no sums).

    Any sequence of labels can be found, but for those that no text has. A label that the language model does not know
    has the model's probability of ``<unk>``. ``word_score`` has no influence.

    :param lm: KenLM model over :attr:`ctc_kd.inventory.Inventory.tokens`, binary or ARPA
    :param inventory: of the emissions
    """

    def __init__(self, *, lm: str, config: SearchConfig, inventory: Inventory):
        from flashlight.lib.text.decoder.kenlm import KenLM
        from flashlight.lib.text.dictionary import Dictionary

        self.config = config
        self._inventory = inventory
        self._lm = KenLM(lm, Dictionary(inventory.tokens))
        self._unspoken = [inventory.labels.index(label) for label in inventory.unspoken]
        self._decoder = None
        self._decoder_lm_scale: float | None = None

    def _decoder_for(self, lm_scale: float):
        """The decoder for a scale, which Flashlight fixes when it makes one; the last decoder is kept."""
        from flashlight.lib.text.decoder import CriterionType, LexiconFreeDecoder, LexiconFreeDecoderOptions

        if lm_scale != self._decoder_lm_scale:
            options = LexiconFreeDecoderOptions(
                beam_size=self.config.beam_size,
                beam_size_token=self.config.beam_size_token,
                beam_threshold=self.config.beam_threshold,
                lm_weight=lm_scale,
                sil_score=self.config.sil_score,
                log_add=False,
                criterion_type=CriterionType.CTC,
            )
            blank = self._inventory.blank
            self._decoder = LexiconFreeDecoder(options, self._lm, blank, blank, [])
            self._decoder_lm_scale = lm_scale
        return self._decoder

    def search(self, emissions: np.ndarray, *, lm_scale: float) -> str:
        """What the best label sequence says; among equally good ones the first in alphabetical order.

        :param emissions: ``[T, C]`` float32, C-contiguous, see :func:`ctc_kd.decoding.posteriors.emissions`
        """
        return self.found(emissions, lm_scale=lm_scale).text

    def found(self, emissions: np.ndarray, *, lm_scale: float) -> Found:
        """The same, with the frames of words and labels."""
        if not len(emissions):
            return Found("", [], [])
        scores = emissions.copy()
        scores[:, self._unspoken] = float("-inf")
        best = best_results(self._decoder_for(lm_scale), scores)
        # a path begins and ends with blanks of Flashlight's own
        found = (found_by_labels(result.tokens[1:-1], self._inventory) for result in best)
        return min(found, default=Found("", [], []))
