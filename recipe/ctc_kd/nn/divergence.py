"""The Kullback-Leibler divergence of single frames, for losses that weigh frames or compare different ones."""

from __future__ import annotations

import torch
from torch import Tensor


def log_probabilities(logits: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """:return: ``[B, T, C]`` in at least float32; frames outside of the mask are uniform and have no gradient"""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return (logits.masked_fill(~mask[..., None], 0.0) / temperature).log_softmax(dim=-1)


def negative_entropy(log_p: Tensor) -> Tensor:
    """``sum over classes of p log p``: ``[B, T, C] -> [B, T]``. A class with the probability 0 adds nothing."""
    return (log_p.exp() * log_p.clamp(min=torch.finfo(log_p.dtype).min)).sum(dim=-1)


def frame_divergence(student_logits: Tensor, teacher_logits: Tensor, mask: Tensor, *, temperature: float) -> Tensor:
    """``KL(teacher || student)`` of each frame, which is 0 outside of the mask.

    :param student_logits, teacher_logits: ``[B, T, C]``; the teacher gets no gradient. Frames outside of the mask may
        hold anything
    :param mask: ``[B, T]`` bool
    :return: ``[B, T]``
    """
    log_q = log_probabilities(student_logits, mask, temperature)
    log_p = log_probabilities(teacher_logits.detach(), mask, temperature)
    return negative_entropy(log_p) - (log_p.exp() * log_q).sum(dim=-1)
