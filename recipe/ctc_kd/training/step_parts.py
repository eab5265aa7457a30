"""What the training steps of all models have in common: data as tensors, and losses as RETURNN wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import returnn.frontend as rf
import torch
import torch.nn.functional as F
from returnn.config import get_global_config
from returnn.tensor import Tensor

from ctc_kd.nn.criterion import BatchLoss
from ctc_kd.training.returnn_config import MODEL_SIZE_FILE
from ctc_kd.training.several_gpus import joint_loss, sum_over_processes

SAMPLES = 5120
"""Numbers of samples in a batch on a CPU are multiples of this: 0.32 s, 8 frames of 40 ms."""


def write_model_size(model: torch.nn.Module):
    with open(MODEL_SIZE_FILE, "w") as file:
        file.write(str(sum(parameter.numel() for parameter in model.parameters())))


def padded(data: Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """:return: the padded tensor ``[B, T, ...]`` and the lengths ``[B]`` on its device"""
    return data.raw_tensor, data.dims[1].dyn_size_ext.raw_tensor.to(data.raw_tensor.device)


def in_few_shapes(audio: torch.Tensor) -> torch.Tensor:
    """On a CPU, lengthens the padding of audio ``[B, N]``, so that batches have few shapes.

    oneDNN compiles its operations anew for each shape, which took a quarter of the time of the demo's trainings.
    """
    return audio if audio.is_cuda else F.pad(audio, (0, -audio.shape[1] % SAMPLES))


def _together() -> bool:
    """Whether several processes train. The loss on dev is computed by one process alone."""
    return rf.get_run_ctx().train_flag and get_global_config().typed_value("torch_distributed") is not None


def _split_batches() -> bool:
    return _together() and get_global_config().typed_value("split_batches")


def counts_of_processes() -> dict[str, Any]:
    """``over_processes`` of a loss, where several processes share each batch."""
    return {"over_processes": sum_over_processes} if _split_batches() else {}


def mark_losses(losses: Mapping[str, BatchLoss], scales: Mapping[str, float]):
    """Hands the losses to RETURNN, weighted by ``scales``.

    The loss of dev is a mean over its frames, labels or tokens, whatever its batches are. Only a loss that is divided
    by ``batch_times_labels`` depends on them. Of the training set, RETURNN shows the mean over steps.
    """
    context = rf.get_run_ctx()
    for name, scale in scales.items():
        value, count = losses[name]
        if context.train_flag:
            value = joint_loss(value, split_batches=_split_batches()) if _together() else value
            context.mark_as_loss(value, name, scale=scale)
        else:
            count = count.clamp(min=1).to(value)
            weight = Tensor("count", dims=(), dtype=rf.get_default_float_dtype(), raw_tensor=count)
            context.mark_as_loss(value * count, name, scale=scale, custom_inv_norm_factor=weight)
