"""Inter-KD: the teacher also teaches a CTC head on an inner layer of the student (Yoon et al., arXiv 2211.15075)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..methods import check_parameter
from .criterion import BatchLoss
from .distillation import DistillationLoss


@dataclass(frozen=True)
class InterLoss(DistillationLoss):
    """``(1 - share) * L(last head) + share * L(inner head)``, L being :class:`ctc_kd.nn.distillation.DistillationLoss`.

    The inner head learns from the teacher's output, too. That both heads have one ``kd_scale``, and which ``share`` the
    paper takes, is not certain: we know its abstract. The model is a ``TwoHeadStudentCtc``.

    Attributes:
        share: weight of the inner head
    """

    share: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        check_parameter("inter", self.share)

    @property
    def scales(self) -> dict[str, float]:
        """The losses of the last head, and with an ``i`` before their names those of the inner one."""
        scales = super().scales
        last = {name: (1.0 - self.share) * scale for name, scale in scales.items()}
        return {**last, **{f"i{name}": self.share * scale for name, scale in scales.items()}}

    def outputs(self, model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple:
        """:return: logits ``[B, T, C]`` of both heads, the last first, and lengths ``[B]`` in frames"""
        return model.both_heads(audio, lengths)

    def __call__(self, logits: tuple[Tensor, Tensor], lengths: Tensor, **inputs) -> dict[str, BatchLoss]:
        """:param logits: of the last and of the inner head, ``[B, T, C]``"""
        last, inner = (super(InterLoss, self).__call__(head, lengths, **inputs) for head in logits)
        return {**last, **{f"i{name}": loss for name, loss in inner.items()}}
