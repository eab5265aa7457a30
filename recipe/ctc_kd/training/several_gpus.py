"""Training on several GPUs of one machine: each process computes a share of every update.

The number of GPUs depends on where a job runs, so it must not show in the result: the largest batch of an update, the
weight of every frame and label in it, and the reported losses are those of one process. Batches that are split are less
full, and a sub-epoch ends when the first process has no more data, see docs/cluster.md. Only a dev loss that is divided
by ``batch_times_labels`` depends on the size of batches, and so on the number of GPUs where they are split.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.machine import gpus

if TYPE_CHECKING:
    from torch import Tensor

    from ctc_kd.training.training_config import TrainingConfig


def num_processes(rqmt: dict) -> int:
    """One process for each requested GPU, but no more than are ours. Where none is, as many train on the CPU."""
    requested = math.ceil(rqmt.get("gpu") or 1)
    return min(requested, len(gpus()) or requested)


def update_options(training: TrainingConfig, processes: int) -> dict:
    """RETURNN options for updates of ``batch_seconds * accumulate`` of audio, with any number of processes.

    If ``accumulate`` is a multiple of ``processes``, each process takes whole batches, otherwise a share of every batch
    (``split_batches``, which ``steps.train_step`` reads).
    """
    samples = int(training.batch_seconds * SAMPLE_RATE_HZ)
    if processes == 1:
        return {"batch_size": {"audio": samples}, "accum_grad_multiple_step": training.accumulate}
    split, has_gpus = training.accumulate % processes != 0, bool(gpus())
    return {
        "batch_size": {"audio": samples // processes if split else samples},
        "accum_grad_multiple_step": training.accumulate if split else training.accumulate // processes,
        "split_batches": split,
        "device": "gpu" if has_gpus else "cpu",
        "torch_distributed": {
            "backend": "cpu:gloo,cuda:nccl" if has_gpus else "gloo",
            "dataset_distribution": "shard",  # see train_config.seq_ordering
            # With layer drop, some layers of a process have no gradient. Buffers that change are those of batch norms
            # in a few pre-trained encoders: their statistics are of what the first process sees.
            "options": {"find_unused_parameters": True, "broadcast_buffers": False},
        },
    }


def sum_over_processes(count: Tensor | int) -> Tensor:
    """The sum of ``count`` over all processes; ``count`` stays as it is, as two losses may ask for its sum."""
    import torch

    total = torch.as_tensor(count).clone()
    torch.distributed.all_reduce(total)
    return total


def joint_loss(loss: Tensor, *, split_batches: bool) -> Tensor:
    """Gives a process's loss the value that one process would report.

    Its gradient is multiplied by the number of processes, because torch averages gradients over the processes.
    """
    import torch

    size = torch.distributed.get_world_size()
    value = loss.detach().clone()
    torch.distributed.all_reduce(value)
    return size * loss + (value / (1 if split_batches else size) - size * loss).detach()
