"""CR-CTC: CTC of two views of the audio, whose outputs are drawn to each other (Yao et al., arXiv 2410.05101)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..methods import check_parameter
from .criterion import BatchLoss, Criterion
from .divergence import frame_divergence
from .losses import OverProcesses, ctc_loss, one_process
from .masking import valid_frames


@dataclass(frozen=True)
class ConsistencyLoss(Criterion):
    """``CTC + alpha * CR``. There is no teacher.

    CTC is the mean of both views. CR is the mean of ``KL(b || a)`` and ``KL(a || b)``, summed over frames; the first
    argument gets no gradient. Both are divided by the number of target labels, so ``alpha`` weighs sums over an
    utterance, as the paper's 0.2 does. The views differ by SpecAugment and dropout. The masks are those of the model;
    the paper has 2.5 times as many, with which a small student of others did not learn.

    Attributes:
        alpha: weight of CR
    """

    alpha: float = 0.2

    def __post_init__(self):
        check_parameter("cr_ctc", self.alpha)

    @property
    def scales(self) -> dict[str, float]:
        return {"ctc": 1.0, "cr": self.alpha}

    def outputs(self, model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple:
        """Computes the views in one batch of twice the size; without training there is only one, which is both.

        :return: logits ``[B, T, C]`` of both views, and lengths ``[B]`` in frames
        """
        if not model.training:
            logits, lengths = model(audio, lengths)
            return (logits, logits), lengths
        logits, both_lengths = model(torch.cat([audio, audio]), torch.cat([lengths, lengths]))
        return logits.chunk(2), both_lengths[: len(lengths)]

    def __call__(
        self,
        logits: tuple[Tensor, Tensor],
        lengths: Tensor,
        *,
        blank: int,
        targets: Tensor,
        target_lengths: Tensor,
        over_processes: OverProcesses = one_process,
    ) -> dict[str, BatchLoss]:
        """
        :param logits: of both views, ``[B, T, C]``
        :param lengths: ``[B]`` frames
        :param targets: ``[B, S]`` label indices
        :param target_lengths: ``[B]``
        :param over_processes: see :func:`ctc_kd.nn.losses.kd_loss`
        :return: the unscaled losses by the names in :attr:`scales`
        """
        count = target_lengths.sum()
        options = {"blank": blank, "over_processes": over_processes}
        ctc = sum(ctc_loss(view, lengths, targets, target_lengths, **options) for view in logits) / 2
        cr = self._cr(logits, lengths) / over_processes(count).clamp(min=1)
        return {"ctc": BatchLoss(ctc, count), "cr": BatchLoss(cr, count)}

    def _cr(self, logits: tuple[Tensor, Tensor], lengths: Tensor) -> Tensor:
        """Both divergences, summed over frames and halved."""
        a, b = logits
        valid = valid_frames(lengths, a.shape[1])
        return sum(frame_divergence(*pair, valid, temperature=1.0).sum() for pair in ((a, b), (b, a))) / 2
