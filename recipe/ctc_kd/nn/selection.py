"""Which frames of the teacher are distilled: a pure function for each rule of the paper (arXiv 2506.01503).

Every rule maps teacher logits ``[B, T, C]`` and lengths ``[B]`` to a mask ``[B, T]``, true where the frame enters the
distillation loss. A frame is a *blank frame* if blank has a higher logit than every label. Padding is never selected,
and no rule depends on the other utterances of the batch, loops over utterances, or waits for the device.

    >>> mask = symmetric(teacher_logits, lengths, blank=78, n=2)
    >>> mask = Selection("symmetric", {"n": 2})(teacher_logits, lengths, blank=78)  # the same, from a config
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ..methods import check_rule
from .masking import random_subset, valid_frames


def all_frames(teacher_logits: Tensor, lengths: Tensor, *, blank: int) -> Tensor:
    """Every frame: plain distillation."""
    return valid_frames(lengths, teacher_logits.shape[1])


def eliminate(teacher_logits: Tensor, lengths: Tensor, *, blank: int) -> Tensor:
    """Non-blank frames only: blank elimination."""
    labels = teacher_logits.to(torch.float32, copy=True)
    labels[..., blank] = -math.inf
    is_blank = labels.amax(dim=-1) < teacher_logits[..., blank]  # argmax == blank, but several times as fast on a CPU
    return all_frames(teacher_logits, lengths, blank=blank) & ~is_blank


def symmetric(teacher_logits: Tensor, lengths: Tensor, *, blank: int, n: int) -> Tensor:
    """Non-blank frames and up to ``n`` frames on both sides of each: a binary dilation within the utterance."""
    spikes = eliminate(teacher_logits, lengths, blank=blank)
    dilated = F.max_pool1d(spikes.float(), kernel_size=2 * n + 1, stride=1, padding=n) > 0
    return dilated & all_frames(teacher_logits, lengths, blank=blank)


def trim(teacher_logits: Tensor, lengths: Tensor, *, blank: int) -> Tensor:
    """All frames from the first to the last non-blank frame; none if the utterance has only blank frames."""
    spikes = eliminate(teacher_logits, lengths, blank=blank)
    started = spikes.cumsum(dim=1) > 0
    not_ended = spikes.flip(1).cumsum(dim=1).flip(1) > 0
    return started & not_ended


def threshold(teacher_logits: Tensor, lengths: Tensor, *, blank: int, alpha: float) -> Tensor:
    """Non-blank frames, and blank frames where the teacher is not sure: P(blank) < ``alpha`` at temperature 1."""
    unsure = teacher_logits.float().softmax(dim=-1)[..., blank] < alpha
    spikes = eliminate(teacher_logits, lengths, blank=blank)
    return spikes | (unsure & all_frames(teacher_logits, lengths, blank=blank))


def random_blanks(
    teacher_logits: Tensor, lengths: Tensor, *, blank: int, beta: float, generator: torch.Generator | None = None
) -> Tensor:
    """Non-blank frames, and ``round(beta * number of non-blank frames)`` random blank frames of the same utterance.

    Every call draws anew, without replacement. If the utterance has fewer blank frames, all of them are selected.

    :param generator: on the device of the logits; torch's default generator if ``None``
    """
    spikes = eliminate(teacher_logits, lengths, blank=blank)
    blanks = all_frames(teacher_logits, lengths, blank=blank) & ~spikes
    counts = (beta * spikes.sum(dim=1).double()).round()
    return spikes | random_subset(blanks, counts, generator)


def prior_corrected(teacher_logits: Tensor, lengths: Tensor, *, blank: int, log_prior: Tensor, scale: float) -> Tensor:
    """Blank elimination after dividing the teacher's posterior by its prior: argmax of log p - ``scale`` * log prior.

    The distillation target itself stays uncorrected.

    :param log_prior: ``[C]``, log of the teacher's mean posterior over the training data
    """
    log_prior = log_prior.to(teacher_logits.device)
    return eliminate(teacher_logits.float() - scale * log_prior, lengths, blank=blank)


RULES: dict[str, Callable[..., Tensor]] = {
    "all": all_frames,
    "eliminate": eliminate,
    "symmetric": symmetric,
    "trim": trim,
    "threshold": threshold,
    "random": random_blanks,
    "prior": prior_corrected,
}


@dataclass(frozen=True)
class Selection:
    """A rule with its parameters, as written in a config: ``Selection("threshold", {"alpha": 0.9})``.

    Attributes:
        rule: a name in ``RULES``
        parameters: the rule's hyper-parameter, as declared in :mod:`ctc_kd.methods`

    Raises a ValueError for an unknown rule, and for a hyper-parameter that is missing or out of its range.
    """

    rule: str = "all"
    parameters: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        check_rule(self.rule, self.parameters)

    def __call__(self, teacher_logits: Tensor, lengths: Tensor, *, blank: int, **tensors) -> Tensor:
        """:param tensors: arguments that a config cannot hold, ``log_prior`` or ``generator``"""
        return RULES[self.rule](teacher_logits, lengths, blank=blank, **self.parameters, **tensors)
