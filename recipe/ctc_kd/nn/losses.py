"""Distillation and CTC losses, with explicit temperature and normalisation.

The paper prints its distillation loss without a logarithm and without a temperature (arXiv 2506.01503, equation 2);
what its experiments compute is the Kullback-Leibler divergence at temperature 2, times the squared temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import NORMALISATIONS, check_distillation, check_temperature
from .selection import Selection

OverProcesses = Callable[[Tensor | int], Tensor | int]
"""Turns this process's count into the count over all processes that share the batch."""


def one_process(count: Tensor | int) -> Tensor | int:
    """Returns the count unchanged, for a process that has the whole batch."""
    return count


class BatchLoss(NamedTuple):
    """One loss of a batch, and its weight where the losses of batches become a mean.

    Attributes:
        value: scalar
        count: of KD the selected frames, of CTC the target labels; scalar, of this process
    """

    value: Tensor
    count: Tensor


def match_frames(teacher_logits: Tensor, num_frames: int) -> Tensor:
    """Cuts or pads the teacher's ``[B, T', C]`` to the student's number of frames.

    An encoder with a receptive field like HuBERT's has up to one frame more, which is cut off. An encoder with a longer
    one has up to one frame less: a frame of zeros is appended, which the teacher's lengths have to exclude.

    :raises ValueError: the numbers of frames differ by more than 1
    """
    surplus = teacher_logits.shape[1] - num_frames
    if abs(surplus) > 1:
        raise ValueError(
            f"the teacher has {teacher_logits.shape[1]} frames and the student {num_frames}: expected a difference of "
            "at most 1. Do both have the same frame shift, and was the teacher run on the same audio?"
        )
    return F.pad(teacher_logits, (0, 0, 0, -surplus))


def kd_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    mask: Tensor,
    *,
    temperature: float,
    normalisation: str,
    num_labels: Tensor | int | None = None,
    over_processes: OverProcesses = one_process,
) -> Tensor:
    """``temperature^2 * sum over masked frames of KL(teacher || student)``, normalised.

    :param student_logits: ``[B, T, C]``; frames outside of the mask may hold anything and get no gradient
    :param teacher_logits: ``[B, T, C]``; half precision is converted to float32, and there is no gradient. A class with
        the logit -inf has the probability 0 and adds nothing
    :param mask: ``[B, T]`` bool, see :mod:`ctc_kd.nn.selection`
    :param normalisation: ``"selected_frames"``: divide by the number of masked frames (0 if there are none);
        ``"batch_times_labels"``: divide by B times ``num_labels``, as the published code does for plain distillation
        (0 labels count as 1)
    :param num_labels: number of target labels in the batch
    :param over_processes: applied to the counts of frames, utterances and labels
    :return: scalar
    :raises ValueError: the temperature is not above 0, or the normalisation is unknown or lacks ``num_labels``
    """
    check_temperature(temperature)
    divergence = _MaskedDivergence.apply(student_logits, teacher_logits, mask, temperature)
    total = temperature**2 * divergence
    return normalised(total, normalisation, mask, num_labels=num_labels, over_processes=over_processes)


def normalised(
    total: Tensor,
    normalisation: str,
    mask: Tensor,
    *,
    num_labels: Tensor | int | None = None,
    over_processes: OverProcesses = one_process,
) -> Tensor:
    """Divides a sum over frames, see :func:`kd_loss`.

    :param mask: ``[B, T]``, the frames or their weights
    """
    if normalisation == "selected_frames":
        return total / over_processes(mask.sum()).clamp(min=1)
    if normalisation == "batch_times_labels":
        if num_labels is None:
            raise ValueError('the normalisation "batch_times_labels" needs num_labels')
        return total / (over_processes(len(mask)) * torch.as_tensor(over_processes(num_labels)).clamp(min=1))
    raise ValueError(f"unknown normalisation {normalisation!r}, expected one of {', '.join(NORMALISATIONS)}")


class _MaskedDivergence(torch.autograd.Function):
    """Sum over masked frames of KL(teacher || student) at a temperature.

    The forward pass also computes the gradient, (q - p) / temperature, in place. That takes half the time of autograd.
    """

    @staticmethod
    def forward(ctx, student_logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float) -> Tensor:
        log_q = _frames(student_logits, mask).div_(temperature).log_softmax(dim=-1)
        log_p = _frames(teacher_logits, mask).div_(temperature).log_softmax(dim=-1)
        p = log_p.exp()
        log_p.clamp_(min=torch.finfo(log_p.dtype).min)  # 0 * -inf would be NaN
        divergence = torch.dot(p.flatten(), log_p.sub_(log_q).flatten())
        ctx.save_for_backward(log_q.exp_().sub_(p), mask)
        ctx.temperature, ctx.dtype = temperature, student_logits.dtype
        return divergence

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, scale: Tensor):
        gradient, mask = ctx.saved_tensors
        gradient = gradient * (scale / ctx.temperature)
        if not mask.is_cuda:
            gradient = gradient.new_zeros(mask.numel(), gradient.shape[-1]).index_copy_(0, _indices(mask), gradient)
        return gradient.view(*mask.shape, -1).to(ctx.dtype), None, None, None


def _frames(logits: Tensor, mask: Tensor) -> Tensor:
    """Copies the masked frames of ``[B, T, C]`` to rows ``[N, C]``, in at least float32.

    On a GPU all B * T frames are copied; those outside of the mask become zeros, which have no divergence.
    """
    rows, dtype = logits.flatten(0, 1), torch.promote_types(logits.dtype, torch.float32)
    if mask.is_cuda:  # to count the masked frames would mean to wait for the device
        return rows.to(dtype).masked_fill(~mask.flatten()[:, None], 0.0)
    return rows.index_select(0, _indices(mask)).to(dtype)


def _indices(mask: Tensor) -> Tensor:
    return mask.flatten().nonzero()[:, 0]


def ctc_loss(
    logits: Tensor,
    lengths: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    *,
    blank: int,
    over_processes: OverProcesses = one_process,
) -> Tensor:
    """The sum of the utterances' CTC losses, divided by the number of target labels.

    Utterances that are too short for their labels count as 0; ``TrainJob`` prints their names.

    :param logits: ``[B, T, C]``
    :param lengths: ``[B]``
    :param targets: ``[B, S]`` label indices
    :param target_lengths: ``[B]``
    :param over_processes: applied to the number of labels
    :return: scalar
    """
    log_probs = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    loss = F.ctc_loss(
        log_probs, targets.long(), lengths, target_lengths, blank=blank, reduction="sum", zero_infinity=True
    )
    return loss / over_processes(target_lengths.sum()).clamp(min=1)


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
        :param teacher_logits: ``[B, T', C]``, T' and T differ by at most 1
        :param teacher_lengths: ``[B]`` frames
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
                match_frames(teacher_logits, logits.shape[1]),
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


@dataclass(frozen=True)
class DistillationLoss(TeacherLoss):
    """The paper's distillation: :func:`kd_loss` on selected frames.

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
