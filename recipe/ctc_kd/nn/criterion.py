"""What a training minimises: named losses of a batch, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .loss_settings import check_distillation
from .losses import OverProcesses, ctc_loss, one_process


class BatchLoss(NamedTuple):
    """One loss of a batch, and its weight where the losses of batches become a mean.

    Attributes:
        value: scalar
        count: of KD the selected frames, of CTC the target labels; scalar, of this process
    """

    value: Tensor
    count: Tensor


class WeightedLosses:
    """Named losses of a batch, and their weights. A call returns the unscaled losses by the names in :attr:`scales`."""

    @property
    def scales(self) -> dict[str, float]:
        """The losses and their weights."""
        raise NotImplementedError

    def weighted_sum(self, losses: dict[str, BatchLoss]) -> Tensor:
        """What is minimised: the sum of the losses that a call returned, weighted by :attr:`scales`."""
        return torch.stack([scale * losses[name].value for name, scale in self.scales.items()]).sum()


class Criterion(WeightedLosses):
    """What a training of a CTC model minimises.

    ``training.criteria`` has the table of those that a config may name. A class of it is called with what
    :meth:`outputs` returns and with ``blank``, ``teacher_logits, teacher_lengths, targets, target_lengths`` (where the
    training has them) and ``over_processes``.
    """

    def outputs(self, model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple:
        """Calls the model. A criterion with several outputs or views of the audio does it in another way.

        :param audio: ``[B, N]`` samples
        :param lengths: ``[B]`` samples
        :return: the first two arguments of a call: here logits ``[B, T, C]`` and lengths ``[B]`` in frames
        """
        return model(audio, lengths)


@dataclass(frozen=True)
class MixedLoss(Criterion):
    """``kd_scale * KD + (1 - kd_scale) * CTC``, whatever KD is.

    Attributes:
        kd_scale: the paper's lambda; 1 ignores the targets, 0 ignores the teacher
    """

    kd_scale: float

    parts: ClassVar[tuple[str, ...]] = ("kd",)
    """The losses that KD consists of, which have the same weight."""

    @property
    def scales(self) -> dict[str, float]:
        """The losses with a scale other than 0."""
        scales = {**dict.fromkeys(self.parts, self.kd_scale), "ctc": 1.0 - self.kd_scale}
        return {name: scale for name, scale in scales.items() if scale}

    def ctc(
        self,
        logits: Tensor,
        lengths: Tensor,
        *,
        blank: int,
        targets: Tensor | None,
        target_lengths: Tensor | None,
        over_processes: OverProcesses,
    ) -> dict[str, BatchLoss]:
        """The CTC loss by its name, see :func:`ctc_loss`; none if it has no weight.

        :raises ValueError: it has one, but there are no targets
        """
        if self.kd_scale == 1:
            return {}
        if targets is None or target_lengths is None:
            raise ValueError(f"kd_scale {self.kd_scale} needs targets and target_lengths")
        value = ctc_loss(logits, lengths, targets, target_lengths, blank=blank, over_processes=over_processes)
        return {"ctc": BatchLoss(value, target_lengths.sum())}


def match_frames(teacher_logits: Tensor, teacher_lengths: Tensor, num_frames: int, lengths: Tensor) -> Tensor:
    """Cuts or pads the teacher's ``[B, T', C]`` to the student's number of frames.

    An encoder with a receptive field like HuBERT's has up to one frame more, which is cut off. An encoder with a longer
    one has up to one frame less: zeros are appended, which the teacher's lengths have to exclude.

    :param teacher_lengths, lengths: ``[B]`` frames of teacher and student
    :raises ValueError: the numbers of frames differ by more than 1
    """
    surplus = teacher_logits.shape[1] - num_frames
    # on a GPU, to look at lengths would mean to wait for the device
    difference = abs(surplus) if lengths.is_cuda else int((teacher_lengths - lengths).abs().max())
    if difference > 1:
        raise ValueError(
            f"the frames of teacher and student differ by {difference}: expected a difference of at most 1. Do both "
            "have the same frame shift, and was the teacher run on the same audio?"
        )
    return F.pad(teacher_logits, (0, 0, 0, -surplus))


@dataclass(frozen=True)
class TeacherLoss(MixedLoss):
    """KD on the logits of a teacher; a subclass says in :meth:`distil` what it is.

    Attributes:
        temperature: of teacher and student
        normalisation: see :func:`kd_loss`

    Raises a ValueError for a setting that makes no sense.
    """

    temperature: float = 2.0
    normalisation: str = "selected_frames"

    def __post_init__(self):
        check_distillation(kd_scale=self.kd_scale, temperature=self.temperature, normalisation=self.normalisation)

    def __call__(
        self,
        logits: Tensor,
        lengths: Tensor,
        *,
        blank: int,
        teacher_logits: Tensor | None = None,
        teacher_lengths: Tensor | None = None,
        targets: Tensor | None = None,
        target_lengths: Tensor | None = None,
        over_processes: OverProcesses = one_process,
    ) -> dict[str, BatchLoss]:
        """
        :param logits: the student's ``[B, T, C]``
        :param lengths: ``[B]`` frames
        :param teacher_logits: ``[B, T', C]``
        :param teacher_lengths: ``[B]`` frames, which differ from the student's by at most 1
        :param targets: ``[B, S]`` label indices
        :param target_lengths: ``[B]``
        :param over_processes: see :func:`kd_loss`
        :return: the unscaled losses by the names in :attr:`scales`
        """
        losses = {}
        if self.kd_scale > 0:
            if teacher_logits is None or teacher_lengths is None:
                raise ValueError(f"kd_scale {self.kd_scale} needs teacher_logits and teacher_lengths")
            losses |= self.distil(
                logits,
                match_frames(teacher_logits, teacher_lengths, logits.shape[1], lengths),
                torch.minimum(lengths, teacher_lengths),
                blank=blank,
                num_labels=None if target_lengths is None else target_lengths.sum(),
                over_processes=over_processes,
            )
        options = {"blank": blank, "over_processes": over_processes}
        return losses | self.ctc(logits, lengths, targets=targets, target_lengths=target_lengths, **options)

    def distil(
        self,
        logits: Tensor,
        teacher_logits: Tensor,
        lengths: Tensor,
        *,
        blank: int,
        num_labels: Tensor | None,
        over_processes: OverProcesses,
    ) -> dict[str, BatchLoss]:
        """
        :param logits: the student's ``[B, T, C]``
        :param teacher_logits: ``[B, T, C]``
        :param lengths: ``[B]``, frames that both have
        :param num_labels, over_processes: see :func:`kd_loss`
        :return: the losses named in :attr:`parts`
        """
        raise NotImplementedError
