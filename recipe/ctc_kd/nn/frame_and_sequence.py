"""Frame-level distillation, and CTC with the teacher's best label sequence: both need audio alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..methods import check_parameter
from .criterion import BatchLoss
from .distillation import DistillationLoss
from .losses import OverProcesses, one_process
from .sequence import stored_hypotheses_loss


@dataclass(frozen=True)
class FrameAndSequenceLoss(DistillationLoss):
    """``kd_scale * (share * KD + (1 - share) * S) + (1 - kd_scale) * CTC``; S is ``nn.sequence.sequence_loss``.

    Attributes:
        share: weight of frame-level KD beside the teacher's label sequences
    """

    share: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        check_parameter("frames_and_path", self.share)

    @property
    def scales(self) -> dict[str, float]:
        """Frame-level KD, ``"path"`` for the teacher's label sequences, and CTC."""
        scales = super().scales
        if kd_scale := scales.pop("kd", 0.0):
            scales = {"kd": self.share * kd_scale, "path": (1.0 - self.share) * kd_scale, **scales}
        return scales

    def __call__(
        self,
        logits: Tensor,
        lengths: Tensor,
        *,
        blank: int,
        hypotheses: Tensor | None = None,
        hypothesis_lengths: Tensor | None = None,
        hypothesis_weights: Tensor | None = None,
        over_processes: OverProcesses = one_process,
        **inputs: Tensor,
    ) -> dict[str, BatchLoss]:
        """
        :param hypotheses, hypothesis_lengths, hypothesis_weights: see :func:`ctc_kd.nn.sequence.split_hypotheses`
        :param inputs: see :class:`ctc_kd.nn.criterion.TeacherLoss`
        """
        losses = super().__call__(logits, lengths, blank=blank, over_processes=over_processes, **inputs)
        if self.kd_scale > 0:
            stored = hypotheses, hypothesis_lengths, hypothesis_weights
            losses["path"] = stored_hypotheses_loss(
                logits, lengths, *stored, blank=blank, over_processes=over_processes
            )
        return {name: losses[name] for name in self.scales}
