"""Distillation and CTC losses, with explicit temperature and normalisation.

The paper prints its distillation loss without a logarithm and without a temperature (arXiv 2506.01503, equation 2);
what its experiments compute is the Kullback-Leibler divergence at temperature 2, times the squared temperature.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .loss_settings import NORMALISATIONS, check_temperature

OverProcesses = Callable[[Tensor | int], Tensor | int]
"""Turns this process's count into the count over all processes that share the batch."""


def one_process(count: Tensor | int) -> Tensor | int:
    """Returns the count unchanged, for a process that has the whole batch."""
    return count


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
