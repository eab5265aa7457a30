"""Delayed distillation: a frame of the teacher is matched with the best of the student's frames near it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..methods import check_parameter
from .criterion import BatchLoss, TeacherLoss
from .divergence import log_probabilities, negative_entropy
from .losses import normalised
from .masking import valid_frames


def nearest_match(log_p: Tensor, log_q: Tensor, lengths: Tensor, *, d: int) -> Tensor:
    """The delay ``s``, up to ``d`` frames to both sides, with the lowest ``KL(p_t || q_{t + s})``.

    Of equally good delays it is the smallest, and the earlier of two that are equally small.

    :param log_p, log_q: ``[B, T, C]``, log posteriors of teacher and student
    :param lengths: ``[B]``; no frame is matched with one behind the end
    :return: ``[B, T]`` int64
    """
    frames = torch.arange(log_p.shape[1], device=log_p.device)
    p, delays = log_p.exp(), torch.zeros(log_p.shape[:2], dtype=torch.int64, device=log_p.device)
    lowest = log_p.new_full(log_p.shape[:2], torch.inf)
    for s in sorted(range(-d, d + 1), key=abs):
        outside = (frames + s < 0) | (frames + s >= lengths[:, None])
        cross_entropy = -(p * log_q.roll(-s, dims=1)).sum(dim=-1)
        better = (cross_entropy < lowest) & ~outside
        lowest, delays = torch.where(better, cross_entropy, lowest), delays.masked_fill(better, s)
    return delays


@dataclass(frozen=True)
class DelayedLoss(TeacherLoss):
    """KD is ``temperature^2 * sum over frames t of the lowest KL(teacher_t || student_{t + s}), |s| <= d``, normalised.

    A frame of the student that no frame of the teacher is matched with gets no gradient. Delayed-KD (arXiv 2505.22069)
    allows a streaming student a range of delays against its teacher; that it takes the minimum for each frame by itself
    is not certain. Here the range has two sides, as our students do not stream.

    Attributes:
        d: the largest delay in frames
    """

    d: int = 1

    def __post_init__(self):
        super().__post_init__()
        check_parameter("delayed", self.d)

    def distil(
        self, logits: Tensor, teacher_logits: Tensor, lengths: Tensor, *, blank: int, **counts
    ) -> dict[str, BatchLoss]:
        valid = valid_frames(lengths, logits.shape[1])
        log_q = log_probabilities(logits, valid, self.temperature)
        log_p = log_probabilities(teacher_logits.detach(), valid, self.temperature)
        delays = nearest_match(log_p, log_q.detach(), lengths, d=self.d)
        # Where the teacher's frames go is summed up first: then the gradient is the same in each run on a GPU, too.
        p = log_p.exp() * valid[..., None]
        targets = sum((p * (delays == s)[..., None]).roll(s, dims=1) for s in range(-self.d, self.d + 1))
        total = (negative_entropy(log_p) * valid).sum() - (targets * log_q).sum()
        value = normalised(self.temperature**2 * total, self.normalisation, valid, **counts)
        return {"kd": BatchLoss(value, valid.sum())}
