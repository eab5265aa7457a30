"""Convolutions that stay in fp32 because processors with AMX compute them wrongly in bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

FEWEST_CHANNELS = 16
"""oneDNN 3.10 (in torch 2.11) gives wrong sums for kernels of 8, 16, 32, 48, 64 ... frames over fewer channels than
that, other than depthwise ones. The smallest published encoders have 48 channels in a group, our demo's has 12."""


def keep_in_fp32(model: nn.Module):
    """Makes autocast leave the narrow convolutions over time of ``model`` alone; weights and their names stay."""
    for module in model.modules():
        if isinstance(module, nn.Conv1d) and 1 < module.in_channels // module.groups < FEWEST_CHANNELS:
            module.forward = partial(_in_fp32, module.forward)


def _in_fp32(forward: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    with torch.autocast(frames.device.type, enabled=False):
        return forward(frames.float())
