"""The paper's distillation (arXiv 2506.01503): KD on selected frames, beside CTC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from .criterion import BatchLoss, TeacherLoss
from .losses import kd_loss
from .selection import Selection


@dataclass(frozen=True)
class DistillationLoss(TeacherLoss):
    """``kd_scale * KD + (1 - kd_scale) * CTC``, where KD is :func:`ctc_kd.nn.losses.kd_loss` on selected frames.

    Attributes:
        selection: chooses the frames to distil, called with ``(teacher_logits, lengths, blank=...)``
    """

    selection: Callable[..., Tensor] = field(default_factory=Selection)

    def distil(
        self, logits: Tensor, teacher_logits: Tensor, lengths: Tensor, *, blank: int, **counts
    ) -> dict[str, BatchLoss]:
        mask = self.selection(teacher_logits, lengths, blank=blank)
        value = kd_loss(
            logits, teacher_logits, mask, temperature=self.temperature, normalisation=self.normalisation, **counts
        )
        return {"kd": BatchLoss(value, mask.sum())}
