"""Factorised distillation: whether there is a label, and which one (Tian et al., Speech Communication 160, 2024)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .criterion import BatchLoss, TeacherLoss
from .losses import kd_loss
from .masking import valid_frames
from .selection import eliminate


def blank_or_label(logits: Tensor, *, blank: int, temperature: float) -> Tensor:
    """Logits of blank and of "any label" at a temperature: ``[B, T, C] -> [B, T, 2]``, in at least float32."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32)) / temperature
    return torch.stack([logits[..., blank], labels_only(logits, blank=blank).logsumexp(dim=-1)], dim=-1)


def labels_only(logits: Tensor, *, blank: int) -> Tensor:
    """The logits without blank's, which are those of the distribution given a label: ``[B, T, C] -> [B, T, C - 1]``."""
    return torch.cat([logits[..., :blank], logits[..., blank + 1 :]], dim=-1)


class FactorisedLoss(TeacherLoss):
    """KD has two parts: the binary divergence of blank on all frames, and that of labels on the teacher's label frames.

    The second is ``KL(teacher || student)`` of the distributions given that there is a label. So students need not copy
    how the teacher spreads little mass over labels at blank frames. Both are multiplied by the squared temperature,
    have the weight ``kd_scale``, and are normalised by their own frames. That the paper weighs its parts so is not
    certain; we know it from its abstract and from others' code. Its stage for features is left out.
    """

    parts: ClassVar[tuple[str, ...]] = ("kd_blank", "kd_labels")

    def distil(
        self, logits: Tensor, teacher_logits: Tensor, lengths: Tensor, *, blank: int, **counts
    ) -> dict[str, BatchLoss]:
        valid = valid_frames(lengths, logits.shape[1])
        spikes = eliminate(teacher_logits, lengths, blank=blank)
        both = [tensor.masked_fill(~valid[..., None], 0.0) for tensor in (logits, teacher_logits)]
        pairs = [blank_or_label(tensor, blank=blank, temperature=self.temperature) for tensor in both]
        labels = [labels_only(tensor, blank=blank) for tensor in both]
        binary = kd_loss(*pairs, valid, temperature=1.0, normalisation=self.normalisation, **counts)
        given_label = kd_loss(*labels, spikes, temperature=self.temperature, normalisation=self.normalisation, **counts)
        return {
            "kd_blank": BatchLoss(self.temperature**2 * binary, valid.sum()),
            "kd_labels": BatchLoss(given_label, spikes.sum()),
        }
