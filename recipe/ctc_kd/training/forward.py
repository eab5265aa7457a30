"""Forward passes of a checkpoint over audio archives: the RETURNN config shared by dumps and posteriors."""

from __future__ import annotations

from collections.abc import Sequence

from ctc_kd.training.datasets import audio_dataset, beside_gpu, extern_data, joined_dataset
from ctc_kd.training.returnn_config import as_literal, gpu_options, write_config
from ctc_kd.training.run_returnn import run_returnn

MAX_SEQS = 16  # utterances per batch; fixed, so that batches and results do not depend on where a run resumed


def run_forward(
    *,
    model: dict,
    checkpoint: str | None,
    archives: Sequence[str],
    callback: str,
    options: dict,
    rqmt: dict,
    **audio_options,
):
    """Run ``callback`` of the step functions' module on the logits of every utterance, longest first.

    :param checkpoint: weights of the model; None for a finished model, which brings its own
    :param options: constructor arguments of the callback, literals
    :param audio_options: further options of the audio dataset
    """
    dataset = audio_dataset(archives, seq_ordering="sorted_reverse", **audio_options)
    settings = {
        "task": "forward",
        **({"load": checkpoint, "load_epoch": 1} if checkpoint else {}),
        "model_config": as_literal(model),
        "forward_data": beside_gpu(joined_dataset(audio=dataset, stores={}), rqmt),
        "extern_data": extern_data(num_classes=model["num_labels_with_blank"], keys=["audio"]),
        "batch_size": {"audio": 10**9},
        "max_seqs": MAX_SEQS,
        "callback_options": options,
        **gpu_options(rqmt),
    }
    write_config(
        "returnn.config", settings=settings, steps=["get_model", "forward_step", f"{callback} as forward_callback"]
    )
    run_returnn("returnn.config", threads=rqmt["cpu"])
