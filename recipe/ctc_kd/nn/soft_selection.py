"""Soft selection: each frame counts as much as the teacher expects a label there. It has no hyper-parameter."""

from __future__ import annotations

from torch import Tensor

from .criterion import BatchLoss, TeacherLoss
from .divergence import frame_divergence
from .losses import normalised
from .masking import valid_frames


def label_probability(teacher_logits: Tensor, lengths: Tensor, *, blank: int) -> Tensor:
    """``1 - P(blank)`` of the teacher at temperature 1, 0 in padding.

    :param teacher_logits: ``[B, T, C]``
    :param lengths: ``[B]`` frames
    :return: ``[B, T]`` float32, without gradient
    """
    valid = valid_frames(lengths, teacher_logits.shape[1])
    logits = teacher_logits.detach().float().masked_fill(~valid[..., None], 0.0)
    return (1.0 - logits.softmax(dim=-1)[..., blank]) * valid


class SoftSelectionLoss(TeacherLoss):
    """KD is ``temperature^2 * sum over frames of (1 - P(blank)) * KL(teacher || student)``, normalised.

    The frames that are counted for ``"selected_frames"`` are the expected number of label frames, the sum of the
    weights. This is our own method: blank elimination is its limit where the teacher is sure of every frame.
    """

    def distil(
        self, logits: Tensor, teacher_logits: Tensor, lengths: Tensor, *, blank: int, **counts
    ) -> dict[str, BatchLoss]:
        weights = label_probability(teacher_logits, lengths, blank=blank)
        valid = valid_frames(lengths, logits.shape[1])
        divergence = frame_divergence(logits, teacher_logits, valid, temperature=self.temperature)
        total = self.temperature**2 * (weights * divergence).sum()
        return {"kd": BatchLoss(normalised(total, self.normalisation, weights, **counts), weights.sum())}
