"""Which frames of the teacher are distilled: pure functions, the rules of the paper (arXiv 2506.01503) and two more.

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
    labels = without_blank(teacher_logits, blank)
    is_blank = labels.amax(dim=-1) < teacher_logits[..., blank]  # argmax == blank, but several times as fast on a CPU
    return all_frames(teacher_logits, lengths, blank=blank) & ~is_blank


def without_blank(logits: Tensor, blank: int) -> Tensor:
    """A float32 copy in which blank cannot be: its softmax is the distribution given that there is a label."""
    labels = logits.to(torch.float32, copy=True)
    labels[..., blank] = -math.inf
    return labels


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


def blank_share(teacher_logits: Tensor, lengths: Tensor, *, blank: int, share: float) -> Tensor:
    """Symmetric selection with the largest n of each utterance at which at most ``share`` of its kept frames are blank.

    An utterance without non-blank frames keeps none. This rule is our own: it keeps as many blank frames as there are
    label frames at ``share`` 0.5, however long the pauses are.
    """
    spikes, valid = eliminate(teacher_logits, lengths, blank=blank), all_frames(teacher_logits, lengths, blank=blank)
    distance = torch.minimum(_since_last(spikes), _since_last(spikes.flip(1)).flip(1)).clamp(max=spikes.shape[1])
    frames_at = torch.zeros(len(spikes), spikes.shape[1] + 1, dtype=torch.int64, device=spikes.device)
    kept = frames_at.scatter_add_(1, distance, valid.long()).cumsum(dim=1).gather(1, distance)  # with n = distance
    num_spikes = spikes.sum(dim=1, keepdim=True)
    return valid & (num_spikes > 0) & ((kept - num_spikes).double() / kept <= share)


def _since_last(marks: Tensor) -> Tensor:
    """Frames since the last mark of ``[B, T]``: 0 in its own frame, more than T where there is none before."""
    index = torch.arange(marks.shape[1], device=marks.device)
    return index - torch.where(marks, index, -len(index) - 1).cummax(dim=1).values


def neighbour(teacher_logits: Tensor, lengths: Tensor, *, blank: int, alpha: float) -> Tensor:
    """Non-blank frames, and the blank frames on both sides of each up to the first that does not know its label.

    A frame knows a label whose probability, given that there is a label and no blank, is ``alpha`` or more. The rule
    is our own; it takes up that this probability collapses within two frames of a label, which the authors of
    github.com/miacount/transition-aware-kd measured of their teacher.
    """
    given_label = without_blank(teacher_logits, blank).softmax(dim=-1)
    spikes = eliminate(teacher_logits, lengths, blank=blank)
    after = _known_since_spike(given_label, spikes, alpha)
    before = _known_since_spike(given_label.flip(1), spikes.flip(1), alpha).flip(1)
    return (after | before) & all_frames(teacher_logits, lengths, blank=blank)


def _known_since_spike(given_label: Tensor, spikes: Tensor, alpha: float) -> Tensor:
    """Spikes and the frames behind each in which its label has had at least ``alpha`` without interruption."""
    index = torch.arange(spikes.shape[1], device=spikes.device)
    spike = torch.where(spikes, index, -1).cummax(dim=1).values  # the last one, -1 before the first
    label = given_label.argmax(dim=-1).gather(1, spike.clamp(min=0))
    known = spikes | (given_label.gather(2, label[..., None])[..., 0] >= alpha)
    return spike > torch.where(known, -1, index).cummax(dim=1).values


RULES: dict[str, Callable[..., Tensor]] = {
    "all": all_frames,
    "eliminate": eliminate,
    "symmetric": symmetric,
    "trim": trim,
    "threshold": threshold,
    "random": random_blanks,
    "prior": prior_corrected,
    "blank_share": blank_share,
    "neighbour": neighbour,
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
