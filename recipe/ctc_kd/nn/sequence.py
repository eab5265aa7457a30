"""Sequence-level distillation: CTC with several label sequences of the teacher (Takashima et al., ICASSP 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .criterion import BatchLoss, MixedLoss
from .loss_settings import check_distillation
from .losses import OverProcesses, one_process
from .masking import valid_frames


class Hypotheses(NamedTuple):
    """The hypotheses of each utterance; where it has fewer than N, the rest are empty and weigh 0.

    Attributes:
        labels: ``[B, N, S]``, arbitrary behind the end of a hypothesis
        lengths: ``[B, N]``
        weights: ``[B, N]``, whose sum is 1 for each utterance
    """

    labels: Tensor
    lengths: Tensor
    weights: Tensor


def split_hypotheses(hypotheses: Tensor, lengths: Tensor, weights: Tensor, *, blank: int) -> Hypotheses:
    """Reads hypotheses as they are stored: one behind the other, each ends with a blank.

    :param hypotheses: ``[B, L]`` label indices and blanks
    :param lengths: ``[B]``
    :param weights: ``[B, N]``, arbitrary where an utterance has fewer than N hypotheses
    """
    (batch, most), num = hypotheses.shape, weights.shape[1]
    valid = valid_frames(lengths, most)
    ends = (hypotheses == blank) & valid
    number = ends.cumsum(dim=1) - ends.long()  # of the hypothesis that a label belongs to
    labels = valid & ~ends
    sizes = torch.zeros(batch, num, dtype=torch.int64, device=hypotheses.device)
    sizes.scatter_add_(1, number.clamp(max=num - 1), labels.long())
    starts = sizes.cumsum(dim=1) - sizes + torch.arange(num, device=hypotheses.device)  # each has one blank behind it
    index = (starts[..., None] + torch.arange(most, device=hypotheses.device)).clamp(max=most - 1)
    split = hypotheses[:, None].expand(-1, num, -1).gather(2, index)
    return Hypotheses(split, sizes, weights.masked_fill(~valid_frames(ends.sum(dim=1), num), 0.0))


def sequence_loss(
    logits: Tensor, lengths: Tensor, hypotheses: Hypotheses, *, blank: int, over_processes: OverProcesses = one_process
) -> Tensor:
    """``-sum over hypotheses of weight * log p(hypothesis)``, divided by the expected number of labels.

    :param logits: ``[B, T, C]``
    :param lengths: ``[B]``
    :param over_processes: applied to the number of labels
    :return: scalar
    """
    log_probs = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    total = logits.new_zeros((), dtype=torch.float32)
    for labels, label_lengths, weights in zip(*(tensor.unbind(dim=1) for tensor in hypotheses), strict=True):
        losses = F.ctc_loss(
            log_probs, labels.long(), lengths, label_lengths, blank=blank, reduction="none", zero_infinity=True
        )
        total = total + (weights * losses).sum()
    return total / over_processes(expected_labels(hypotheses)).clamp(min=1)


def expected_labels(hypotheses: Hypotheses) -> Tensor:
    """The number of labels in a batch, each hypothesis weighed: scalar."""
    return (hypotheses.weights * hypotheses.lengths).sum()


def stored_hypotheses_loss(
    logits: Tensor,
    lengths: Tensor,
    hypotheses: Tensor,
    hypothesis_lengths: Tensor,
    hypothesis_weights: Tensor,
    *,
    blank: int,
    over_processes: OverProcesses = one_process,
) -> BatchLoss:
    """:func:`sequence_loss` of hypotheses as :func:`split_hypotheses` reads them."""
    found = split_hypotheses(hypotheses, hypothesis_lengths, hypothesis_weights, blank=blank)
    value = sequence_loss(logits, lengths, found, blank=blank, over_processes=over_processes)
    return BatchLoss(value, expected_labels(found))


@dataclass(frozen=True)
class SequenceLoss(MixedLoss):
    """KD is :func:`sequence_loss` on an N-best list of the teacher.

    The weight of a hypothesis is the teacher's probability of it, divided by the sum over the list. That the paper
    divides by this sum is not certain. A list of one is pseudo-labelling.
    """

    def __post_init__(self):
        check_distillation(kd_scale=self.kd_scale, temperature=1.0, normalisation="selected_frames")

    def __call__(
        self,
        logits: Tensor,
        lengths: Tensor,
        *,
        blank: int,
        hypotheses: Tensor | None = None,
        hypothesis_lengths: Tensor | None = None,
        hypothesis_weights: Tensor | None = None,
        targets: Tensor | None = None,
        target_lengths: Tensor | None = None,
        over_processes: OverProcesses = one_process,
    ) -> dict[str, BatchLoss]:
        """
        :param hypotheses, hypothesis_lengths, hypothesis_weights: see :func:`split_hypotheses`
        :param targets, target_lengths: see :func:`ctc_kd.nn.losses.ctc_loss`
        :return: the unscaled losses by the names in :attr:`scales`
        """
        losses, options = {}, {"blank": blank, "over_processes": over_processes}
        if self.kd_scale > 0:
            stored = hypotheses, hypothesis_lengths, hypothesis_weights
            losses["kd"] = stored_hypotheses_loss(logits, lengths, *stored, **options)
        return losses | self.ctc(logits, lengths, targets=targets, target_lengths=target_lengths, **options)
