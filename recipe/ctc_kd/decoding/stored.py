"""Searches the utterances of a set by their stored posteriors, with any scales."""

from __future__ import annotations

from sisyphus import tk

from ctc_kd.decoding.decoders import decoder_of
from ctc_kd.decoding.posteriors import emissions, load_log_prior, load_posteriors
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.inventory import inventory_of


class StoredSet:
    """The inputs of a job, loaded.

    Attributes:
        inventory: of the posteriors
        lengths: utterance -> frames

    :param posteriors, prior, lexicon, lm: as in :class:`ctc_kd.decoding.search_job.SearchJob`
    """

    def __init__(
        self, *, posteriors: tk.Path, prior: tk.Path, lexicon: tk.Path | None, lm: tk.Path | None, config: SearchConfig
    ):
        self.inventory = inventory_of(posteriors.get_path())
        self._posteriors = load_posteriors(posteriors.get_path())
        self.lengths = {utterance: len(array) for utterance, array in self._posteriors.items()}
        self._log_prior = load_log_prior(prior.get_path(), num_classes=len(self.inventory.labels))
        lexicon, lm = (path and path.get_path() for path in (lexicon, lm))
        self._decoder = decoder_of(self.inventory, lexicon=lexicon, lm=lm, config=config)

    def search(self, utterance: str, *, lm_scale: float, prior_scale: float) -> str:
        """What was said."""
        scores = emissions(self._posteriors[utterance], self._log_prior, prior_scale)
        return self._decoder.search(scores, lm_scale=lm_scale)
