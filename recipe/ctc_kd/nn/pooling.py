"""How the frames of a finished model become those of a student: which are skipped, and how several become one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..frames import HOP_SAMPLES, SAMPLE_RATE_HZ, Layer, first_centre_s, frame_shift_s, student_centre_s
from .config import FinishedConfig


class Pooling(NamedTuple):
    """
    :param factor: frames that become one
    :param offset: frames that are skipped before the first
    :param frame_shift_s, first_centre_s: of the result
    """

    factor: int
    offset: int
    frame_shift_s: float
    first_centre_s: float

    def lengths(self, frames: Tensor) -> Tensor:
        """How many frames ``frames`` ``[B]`` become."""
        return (frames - self.offset).clamp(min=0) // self.factor

    def grouped(self, frames: Tensor) -> Tensor:
        """``[B, T, D]`` as ``[B, T // factor, factor, D]``, without the frames that fill no group."""
        num_groups = max(0, frames.shape[1] - self.offset) // self.factor
        frames = frames[:, self.offset : self.offset + num_groups * self.factor]
        return frames.reshape(len(frames), num_groups, self.factor, frames.shape[-1])

    def maximum(self, frames: Tensor) -> Tensor:
        return self.grouped(frames).amax(dim=2)

    def mean_probability(self, logits: Tensor) -> Tensor:
        """The log of the mean of the probabilities."""
        return self.grouped(logits).log_softmax(dim=-1).logsumexp(dim=2) - math.log(self.factor)

    def path(self, logits: Tensor, *, blank: int) -> Tensor:
        """The log of the probability that the path of a group of frames says one label and no other, or is blank.

        A path says a label if it is in neighbouring frames, and all others are blank. What says more than one label
        cannot be told in one frame, and counts for nothing.
        """
        groups = self.grouped(logits).log_softmax(dim=-1)
        silent = torch.zeros_like(groups[:, :, 0, :1])  # [B, T, 1]: blank so far
        inside = after = torch.full_like(groups[:, :, 0], -math.inf)  # [B, T, C]: ends with the label, or with blank
        for frame in groups.unbind(dim=2):
            in_blank = frame[..., blank, None]
            inside, after = torch.logaddexp(silent, inside) + frame, torch.logaddexp(inside, after) + in_blank
            silent = silent + in_blank
        spoken = torch.logaddexp(inside, after)
        spoken[..., blank] = silent[..., 0]
        return spoken.log_softmax(dim=-1)


def fit(layers: Sequence[Layer], *, subsampling: int | None, whose: str) -> Pooling:
    """The pooling that puts frames as near to those of a student as whole frames can.

    :param layers: what makes the model's frames of samples
    :param subsampling: windows per frame of the student; None leaves the model's frames as they are
    :param whose: names the model, for an error
    :raises ValueError: the model's frames are longer than the student's, or no whole number fits into one, or frame t
        of the one is more than half a frame from frame t of the other
    """
    step = prod(layer.step for layer in layers)
    if subsampling is None:
        return Pooling(1, 0, step / SAMPLE_RATE_HZ, first_centre_s(layers))
    wanted_s = frame_shift_s(subsampling)
    factor, rest = divmod(subsampling * HOP_SAMPLES, step)
    if rest or not factor:
        windows = math.lcm(step, 2 * HOP_SAMPLES) // HOP_SAMPLES
        raise ValueError(
            f"{whose}: a frame of the model has {_ms(step / SAMPLE_RATE_HZ)}, and a frame of the student has "
            f'{_ms(wanted_s)}, which is no multiple of it. Declare "subsampling": {windows} for both: in the config of '
            'this teacher, and in the "frontend" of its students'
        )
    own = first_centre_s([*layers, Layer(factor, factor)])
    students = student_centre_s(subsampling)
    offset = max(0, round((students - own) * SAMPLE_RATE_HZ / step))
    centre = own + offset * step / SAMPLE_RATE_HZ
    if abs(centre - students) > wanted_s / 2:
        raise ValueError(
            f"{whose}: the first frame of the model is at {_ms(centre)}, and that of the student at {_ms(students)}: "
            f"expected a distance of at most half a frame ({_ms(wanted_s / 2)})"
        )
    return Pooling(factor, offset, wanted_s, centre)


class PooledCtc(nn.Module):
    """What finished models have in common.

    :param layers: what makes the model's frames of samples
    :param num_labels: its number of outputs
    :param blank: the index of blank
    :param name: names it in errors
    :raises ValueError: another number of outputs is expected, or the model's frames do not fit to the student's
    """

    def __init__(self, cfg: FinishedConfig, *, layers: Sequence[Layer], num_labels: int, blank: int, name: str):
        super().__init__()
        if num_labels != cfg.num_labels_with_blank:
            raise ValueError(
                f"{name}: the model has {num_labels} outputs, expected {cfg.num_labels_with_blank}, one for each label"
            )
        self.cfg = cfg
        self.blank = blank
        self.pooling = fit(layers, subsampling=cfg.subsampling, whose=name)

    @property
    def frame_shift_s(self) -> float:
        return self.pooling.frame_shift_s

    @property
    def first_centre_s(self) -> float:
        """The time of the first frame, in the middle of the model's frames that it is made of."""
        return self.pooling.first_centre_s

    def pooled(self, logits: Tensor) -> Tensor:
        """``[B, T, C]`` at the frame rate of the student; logits as they are where there is nothing to pool."""
        if self.pooling.factor == 1 or self.cfg.pool == "logits":
            return self.pooling.maximum(logits)
        if self.cfg.pool == "path":
            return self.pooling.path(logits, blank=self.blank)
        return self.pooling.mean_probability(logits)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.4g} ms"
