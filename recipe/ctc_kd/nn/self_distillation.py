"""Losses of models with two heads: intermediate CTC, and frame-level self-distillation (arXiv 2406.07909)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .criterion import BatchLoss, Criterion
from .loss_settings import check_alpha, check_temperature
from .losses import OverProcesses, ctc_loss, kd_loss, one_process
from .masking import valid_frames
from .selection import Selection


@dataclass(frozen=True)
class IntermediateCtcLoss(Criterion):
    """``(1 - alpha) * CTC + alpha * CTC of the intermediate head`` (Lee and Watanabe 2021, arXiv 2102.03216).

    Attributes:
        alpha: from 0 to 1; ``training.criteria`` makes it of a schedule
    """

    alpha: float

    def __post_init__(self):
        check_alpha(self.alpha)

    @property
    def scales(self) -> dict[str, float]:
        return {"ctc": 1.0 - self.alpha, "ictc": self.alpha}

    def outputs(self, model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple:
        """:return: logits ``[B, T, C]`` of both heads, the last first, and lengths ``[B]`` in frames"""
        return model.both_heads(audio, lengths)

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
        :param logits: of the last and of the intermediate head, ``[B, T, C]``
        :param lengths: ``[B]`` frames
        :param targets: ``[B, S]`` label indices
        :param target_lengths: ``[B]``
        :param over_processes: see :func:`ctc_kd.nn.losses.kd_loss`
        :return: the unscaled losses by the names in :attr:`scales`
        """
        return {
            name: BatchLoss(
                ctc_loss(head, lengths, targets, target_lengths, blank=blank, over_processes=over_processes),
                target_lengths.sum(),
            )
            for name, head in zip(("ctc", "ictc"), logits, strict=True)
        }


@dataclass(frozen=True)
class SelfDistillationLoss(IntermediateCtcLoss):
    """``(1 - alpha) * CTC + alpha * (CTC of the intermediate head + KD)``, where the last head teaches the other.

    No gradient of KD reaches the last head or the layers above the intermediate one.

    Attributes:
        temperature: of both heads
        normalisation: see :func:`ctc_kd.nn.losses.kd_loss`; by default KD is a mean over the selected frames
        selection: chooses the frames to distil, called with ``(logits of the last head, lengths, blank=...)``
        teacher_shift: a control: frame t learns from frame ``t - teacher_shift``, and not at all where there is none
        other_utterance: a control: frame t learns from frame t of the batch's previous utterance, where that has one
        independent_dropout: a control: the layers below the intermediate head compute it with a dropout of its own
    """

    temperature: float = 1.0
    normalisation: str = "selected_frames"
    selection: Callable[..., Tensor] = field(default_factory=Selection)
    teacher_shift: int = 0
    other_utterance: bool = False
    independent_dropout: bool = False

    def __post_init__(self):
        super().__post_init__()
        check_temperature(self.temperature)

    @property
    def scales(self) -> dict[str, float]:
        return {**super().scales, "skd": self.alpha}

    def outputs(self, model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple:
        return model.both_heads(audio, lengths, independent_dropout=self.independent_dropout)

    def __call__(
        self,
        logits: tuple[Tensor, Tensor],
        lengths: Tensor,
        *,
        blank: int,
        over_processes: OverProcesses = one_process,
        **inputs: Tensor,
    ) -> dict[str, BatchLoss]:
        losses = super().__call__(logits, lengths, blank=blank, over_processes=over_processes, **inputs)
        last, student = logits
        teacher, mask = self._teacher(last.detach(), lengths, blank=blank)
        value = kd_loss(
            student,
            teacher,
            mask,
            temperature=self.temperature,
            normalisation=self.normalisation,
            num_labels=inputs["target_lengths"].sum(),
            over_processes=over_processes,
        )
        return {**losses, "skd": BatchLoss(value, mask.sum())}

    def _teacher(self, logits: Tensor, lengths: Tensor, *, blank: int) -> tuple[Tensor, Tensor]:
        """:return: what each frame learns from, ``[B, T, C]``, and which frames do, ``[B, T]``"""
        mask = self.selection(logits, lengths, blank=blank)
        if self.other_utterance:
            logits, mask = logits.roll(1, dims=0), mask.roll(1, dims=0) & (len(mask) > 1)
        if self.teacher_shift:
            frames = torch.arange(logits.shape[1], device=logits.device) - self.teacher_shift
            inside = (frames >= 0) & (frames < logits.shape[1])
            frames = frames.clamp(0, logits.shape[1] - 1)
            logits, mask = logits[:, frames], mask[:, frames] & inside
        return logits, mask & valid_frames(lengths, logits.shape[1])
