"""The RETURNN config of a training job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctc_kd.training.datasets import audio_dataset, beside_gpu, extern_data, joined_dataset
from ctc_kd.training.hdf import hdf_files
from ctc_kd.training.returnn_config import as_literal, loader_options, write_config
from ctc_kd.training.several_gpus import update_options
from ctc_kd.training.train import TrainingConfig

if TYPE_CHECKING:
    from ctc_kd.training.train import TrainJob


def write_training_config(job: TrainJob, *, processes: int):
    """Write the config of ``job`` to its ``out_config``.

    :param processes: that train together, see ``several_gpus``
    """
    training = job.training
    share = {**job.rqmt, "cpu": max(1, job.rqmt["cpu"] // processes)}
    train_stores, dev_stores = _stores(job, job.labels), _stores(job, job.dev_labels)
    # Dev utterances with a word outside the lexicon have no labels: the labels' file says which ones there are.
    dev_order = "labels" if job.dev_labels else "audio"
    train = joined_dataset(
        audio=audio_dataset(
            [path.get_path() for path in (job.audio, *job.more_audio)],
            seq_ordering=f"laplace:.{training.bin_size}",
            partition_epoch=training.partition_epoch,
        ),
        stores=train_stores,
    )
    dev = joined_dataset(
        audio=audio_dataset([job.dev_audio.get_path()], seq_ordering="sorted_reverse"),
        stores=dev_stores,
        order=dev_order,
    )
    settings = {
        "task": "train",
        "model": f"{job.out_models.get_path()}/epoch",
        "model_config": as_literal(job.model),
        "criterion_config": as_literal(job.criterion),
        "train": beside_gpu(train, share),
        "dev": beside_gpu(dev, share),
        "extern_data": extern_data(num_classes=job.model["num_labels_with_blank"], keys=["audio", *train_stores]),
        "max_seqs": 10_000,
        **update_options(training, processes),
        "optimizer": as_literal(training.optimizer),
        "gradient_clip_global_norm": training.gradient_clip or 0.0,
        "torch_amp": training.autocast,
        "random_seed": training.seed,
        "dataset_random_seed_offset": order_offset(training.seed),
        "num_epochs": training.num_epochs,
        "learning_rates": list(training.learning_rates),
        "learning_rate_file": "learning_rates",
        "cleanup_old_models": {
            "keep_last_n": 1,
            "keep_best_n": training.keep_best,
            "keep": sorted({*training.keep_epochs, training.num_epochs}),
        },
        **loader_options(share),
    }
    write_config(job.out_config.get_path(), settings=settings, steps=["get_model", "train_step"])


def order_offset(seed: int) -> int:
    """What is added to the number of a pass to seed the order of its utterances, for which RETURNN does not look at
    ``random_seed``. 0 for the default seed, the order it had first; with others no pass has that of another."""
    return 10_000 * ((seed - TrainingConfig.seed) % 2**16)


def _stores(job: TrainJob, labels) -> dict[str, list[str]]:
    stores = {}
    if labels is not None:
        stores["labels"] = [labels.get_path()]
    if job.teacher_logits is not None:
        stores["teacher"] = hdf_files(job.teacher_logits.get_path())
    return stores
