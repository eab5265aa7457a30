"""The most probable label sequences of an utterance, without lexicon and language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.inventory import Inventory

if TYPE_CHECKING:
    import numpy as np


class NBestSearch:
    """Flashlight's beam search, which sums over the paths of a label sequence.

    Its beam only proposes sequences. Their probabilities are then computed over all paths.

    :param config: a sequence is missed if the beam drops its beginning. ``word_score`` has no influence
    """

    def __init__(self, *, config: SearchConfig, inventory: Inventory):
        from flashlight.lib.text.decoder import CriterionType, LexiconFreeDecoder, LexiconFreeDecoderOptions, ZeroLM

        options = LexiconFreeDecoderOptions(
            beam_size=config.beam_size,
            beam_size_token=config.beam_size_token,
            beam_threshold=config.beam_threshold,
            lm_weight=0.0,
            sil_score=config.sil_score,
            log_add=True,
            criterion_type=CriterionType.CTC,
        )
        self._inventory = inventory
        self._unspoken = [inventory.labels.index(label) for label in inventory.unspoken]
        self._decoder = LexiconFreeDecoder(options, ZeroLM(), inventory.blank, inventory.blank, [])

    def best(self, logits: np.ndarray, num: int) -> list[tuple[tuple[int, ...], float]]:
        """The ``num`` most probable label sequences, or fewer if the beam has fewer, with their log probabilities.

        They are in descending order of probability, equal ones in that of their labels.

        :param logits: ``[T, C]``
        """
        import torch

        log_probs = torch.from_numpy(logits.astype("float64")).log_softmax(dim=-1)
        if not len(log_probs):
            return [((), 0.0)]
        log_probs[:, self._unspoken] = -torch.inf
        scores = log_probs.float().numpy()
        found: Any = self._decoder.decode(scores.ctypes.data, *scores.shape)
        # a path begins and ends with blanks of Flashlight's own
        sequences = sorted({tuple(self._inventory.collapsed(result.tokens[1:-1])) for result in found})
        ranked = zip(sequences, log_probabilities(log_probs, sequences, blank=self._inventory.blank), strict=True)
        return sorted(ranked, key=lambda item: -item[1])[:num]


def log_probabilities(log_probs, sequences: list[tuple[int, ...]], *, blank: int) -> list[float]:
    """The log probability of each label sequence, over all its paths.

    :param log_probs: tensor ``[T, C]``
    """
    import torch

    losses = torch.nn.functional.ctc_loss(
        log_probs[:, None].expand(-1, len(sequences), -1),
        torch.tensor([label for sequence in sequences for label in sequence], dtype=torch.int64),
        torch.full((len(sequences),), len(log_probs)),
        torch.tensor([len(sequence) for sequence in sequences]),
        blank=blank,
        reduction="none",
    )
    return (-losses).tolist()
