"""The RETURNN config of a training."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from ctc_kd.machine import multiplies_bfloat16
from ctc_kd.store import hdf_files
from ctc_kd.training.datasets import (
    HYPOTHESES,
    audio_dataset,
    beside_gpu,
    extern_data,
    joined_dataset,
    utterance_durations,
)
from ctc_kd.training.returnn_config import as_literal, gpu_options
from ctc_kd.training.several_gpus import update_options
from ctc_kd.training.training_config import TrainingConfig


class Inputs(NamedTuple):
    """Files of the training set or of the dev set: archives, stores of label sequences and of teacher logits, and the
    folder of an N-best list."""

    audio: Sequence[str]
    labels: str | None
    teacher_logits: str | None
    hypotheses: str | None = None

    def stores(self) -> dict[str, list[str]]:
        """Data key -> HDF files."""
        stores = {}
        if self.labels is not None:
            stores["labels"] = [self.labels]
        if self.teacher_logits is not None:
            stores["teacher"] = hdf_files(self.teacher_logits)
        if self.hypotheses is not None:
            stores |= {key: [os.path.join(self.hypotheses, name)] for key, name in HYPOTHESES.items()}
        return stores

    def files(self) -> list[str]:
        """All that a training reads."""
        return [*self.audio, *(file for files in self.stores().values() for file in files)]


def training_settings(
    training: TrainingConfig,
    *,
    num_classes: int,
    models: str,
    train: Inputs,
    dev: Inputs,
    keep_best: int,
    rqmt: dict[str, Any],
    processes: int,
) -> dict[str, Any]:
    """Names and literal values of the config.

    :param num_classes: the largest label or token, plus one
    :param models: folder of the checkpoints
    :param keep_best: number of best checkpoints (by dev loss) that are kept
    :param rqmt: the job's resources
    :param processes: number of processes that train together, see ``several_gpus``
    :raises ValueError: a sub-epoch is too short for an update
    """
    check_updates(training, train.audio)
    share = {**rqmt, "cpu": max(1, rqmt["cpu"] // processes)}
    train_stores = train.stores()
    train_data = joined_dataset(
        audio=audio_dataset(
            train.audio,
            seq_ordering=seq_ordering(training, train.audio, processes),
            partition_epoch=training.partition_epoch,
        ),
        stores=train_stores,
    )
    dev_data = joined_dataset(
        audio=audio_dataset(dev.audio, seq_ordering="sorted_reverse"),
        stores=dev.stores(),
        # Dev utterances with a word outside the lexicon have no labels, so the labels determine the utterances.
        order="labels" if dev.labels else "audio",
    )
    return {
        "task": "train",
        "model": f"{models}/epoch",
        "train": beside_gpu(train_data, share),
        "dev": beside_gpu(dev_data, share),
        "extern_data": extern_data(num_classes=num_classes, keys=["audio", *train_stores]),
        "max_seqs": 10_000,
        **update_options(training, processes),
        "optimizer": as_literal(training.optimizer),
        "gradient_clip_global_norm": training.gradient_clip or 0.0,
        **precision_options(training.autocast, on_gpu=bool(rqmt.get("gpu"))),
        "random_seed": training.seed,
        "dataset_random_seed_offset": order_offset(training.seed),
        "num_epochs": training.num_epochs,
        "learning_rates": list(training.learning_rates),
        "learning_rate_file": "learning_rates",
        "cleanup_old_models": {
            "keep_last_n": 1,
            "keep_best_n": keep_best,
            "keep": training.kept,
        },
        **gpu_options(share),
    }


def check_updates(training: TrainingConfig, audio: Sequence[str]):
    """RETURNN drops the batches that are left at the end of a sub-epoch, and would end without having learnt.

    :raises ValueError: the audio of a sub-epoch fits into fewer batches than an update has
    """
    if training.accumulate == 1:
        return
    audio_s = sum(utterance_durations(audio).values()) / training.partition_epoch
    if (batches := math.ceil(audio_s / training.batch_seconds)) < training.accumulate:
        raise ValueError(
            f"{', '.join(audio)}: {audio_s:.0f} s in each of {training.partition_epoch} sub-epochs, which fit into "
            f"{batches} batches, but an update has {training.accumulate}, so nothing might be learnt: lower "
            "accumulate, batch_seconds or partition_epoch"
        )


def seq_ordering(training: TrainingConfig, audio: Sequence[str], processes: int) -> str:
    """Bins of utterances that are sorted by duration.

    A sub-epoch has whole bins, and so has each process's part of it: a part of a bin would be its short or its long
    utterances. A sub-epoch ends when the first of several processes has no more data.
    """
    parts = training.partition_epoch * processes
    if parts == 1:
        return f"laplace:.{training.bin_size}"
    return f"laplace:{parts * max(1, round(len(utterance_durations(audio)) / (parts * training.bin_size)))}"


def precision_options(autocast: str | None, *, on_gpu: bool) -> dict[str, Any]:
    """RETURNN's options of mixed precision. A processor that would only emulate bfloat16 computes in fp32."""
    if autocast != "bfloat16":
        return {"torch_amp": autocast}
    if not on_gpu and not multiplies_bfloat16():
        print("note: this processor has no products of bfloat16, so this training computes in fp32", flush=True)
        return {"torch_amp": None}
    return {"torch_amp": autocast, "grad_scaler": None}  # it has the range of fp32, so losses need no scale


def order_offset(seed: int) -> int:
    """The number that RETURNN adds to a pass's own to seed the order of utterances, which ignores ``random_seed``.

    0 for the default seed, so its order stays; no other seed repeats another's pass.
    """
    return 10_000 * ((seed - TrainingConfig.seed) % 2**16)
