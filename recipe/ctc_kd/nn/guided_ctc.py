"""Guide-CTC: the student's spikes are drawn to those of a teacher (Kurata and Audhkhasi 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .criterion import BatchLoss, TeacherLoss
from .losses import normalised
from .selection import eliminate, without_blank


@dataclass(frozen=True)
class GuidedCtcLoss(TeacherLoss):
    """``kd_scale * guide + (1 - kd_scale) * CTC``; the paper's sum of both with equal weights is 0.5.

    Guide is ``1 - p``, with the probability p that the student gives the teacher's best label, at frames where this is
    not blank. The paper maximises p itself ("Guiding CTC posterior spike timings", section 3), not its logarithm. It
    has no temperature.
    """

    parts: ClassVar[tuple[str, ...]] = ("guide",)

    def distil(
        self, logits: Tensor, teacher_logits: Tensor, lengths: Tensor, *, blank: int, **counts
    ) -> dict[str, BatchLoss]:
        spikes = eliminate(teacher_logits, lengths, blank=blank)
        labels = without_blank(teacher_logits, blank).argmax(dim=-1)  # a frame where blank is only as likely is a spike
        missing = missing_probability(logits, labels, spikes)
        return {"guide": BatchLoss(normalised(missing, self.normalisation, spikes, **counts), spikes.sum())}


def missing_probability(logits: Tensor, labels: Tensor, spikes: Tensor) -> Tensor:
    """The sum of ``1 - p(label)`` over spikes.

    :param logits: ``[B, T, C]``; frames without a spike may hold anything and get no gradient
    :param labels, spikes: ``[B, T]``, the second bool
    """
    logits = logits.float().masked_fill(~spikes[..., None], 0.0)
    probability = logits.softmax(dim=-1).gather(-1, labels[..., None])[..., 0]
    return ((1.0 - probability) * spikes).sum()
