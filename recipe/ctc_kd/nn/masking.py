"""Boolean masks over time: valid frames, random subsets and random spans. No function waits for the device."""

from __future__ import annotations

import torch
from torch import Tensor


def valid_frames(lengths: Tensor, num_frames: int) -> Tensor:
    """:return: ``[B, T]`` bool, true where the frame index is below the sequence's length ``[B]``"""
    return torch.arange(num_frames, device=lengths.device) < lengths[:, None]


def random_subset(candidates: Tensor, counts: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw ``counts`` candidates of each row uniformly, without replacement (all candidates if there are fewer).

    :param candidates: ``[B, T]`` bool
    :param counts: ``[B]``
    :param generator: on the device of ``candidates``; torch's default generator if ``None``
    :return: ``[B, T]`` bool, a subset of ``candidates``
    """
    keys = torch.rand(candidates.shape, device=candidates.device, generator=generator)
    rank = keys.masked_fill(~candidates, 2.0).argsort(dim=1).argsort(dim=1)
    return candidates & (rank < counts[:, None])


def spans(starts: Tensor, widths: Tensor | int) -> Tensor:
    """Extend every start to the right.

    :param starts: ``[B, T]`` bool
    :param widths: ``[B, T]`` or a number, width of the span that starts at each frame
    :return: ``[B, T]`` bool, true in ``[t, t + width)`` of every start ``t``
    """
    index = torch.arange(starts.shape[1], device=starts.device)
    ends = torch.where(starts, index + widths, 0)
    return ends.cummax(dim=1).values > index
