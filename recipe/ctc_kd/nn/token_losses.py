"""Losses of a decoder that writes token by token, distilled from another one (Distil-Whisper, K2D section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from .criterion import BatchLoss, WeightedLosses
from .loss_settings import check_temperature
from .losses import OverProcesses, one_process

IGNORED = -100
"""The target where there is nothing to write: in padding, and where the decoder only reads."""


@dataclass(frozen=True)
class TokenLoss(WeightedLosses):
    """``ce_scale * CE + kl_scale * KL`` with the teacher's pseudo labels as targets of both decoders.

    The divergence is taken at a temperature, and multiplied by its square. Both are means over the tokens that are
    written. The paper weighs them 0.8 and 1; the temperature is that of Distil-Whisper's code.

    Raises a ValueError for a temperature that is not above 0, or scales that are not 0 or more.
    """

    ce_scale: float = 0.8
    kl_scale: float = 1.0
    temperature: float = 2.0

    def __post_init__(self):
        check_temperature(self.temperature)
        if not (self.ce_scale >= 0 and self.kl_scale >= 0 and self.ce_scale + self.kl_scale > 0):
            raise ValueError(f"scales {self.ce_scale} and {self.kl_scale}: expected 0 or more, not both 0")

    @property
    def scales(self) -> dict[str, float]:
        """The losses with a scale other than 0."""
        return {name: scale for name, scale in (("ce", self.ce_scale), ("kl", self.kl_scale)) if scale}

    def __call__(
        self,
        student_logits: Tensor,
        teacher_logits: Tensor | None,
        targets: Tensor,
        *,
        over_processes: OverProcesses = one_process,
    ) -> dict[str, BatchLoss]:
        """
        :param student_logits: ``[B, S, V]``
        :param teacher_logits: ``[B, S, V]``, without gradient; None if the divergence has no weight
        :param targets: ``[B, S]``: the token to write after each position, or :data:`IGNORED`
        :param over_processes: see :func:`ctc_kd.nn.losses.kd_loss`
        :return: the unscaled losses by the names in :attr:`scales`
        """
        written = targets != IGNORED
        number = over_processes(written.sum()).clamp(min=1)
        logits, found = student_logits[written].float(), {}
        if self.ce_scale:
            found["ce"] = F.cross_entropy(logits, targets[written].long(), reduction="sum")
        if self.kl_scale:
            log_q = F.log_softmax(logits / self.temperature, dim=-1)
            log_p = F.log_softmax(teacher_logits[written].detach().float() / self.temperature, dim=-1)
            found["kl"] = self.temperature**2 * F.kl_div(log_q, log_p, reduction="sum", log_target=True)
        return {name: BatchLoss(total / number, written.sum()) for name, total in found.items()}
