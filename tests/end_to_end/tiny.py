"""Presets made tiny."""

from dataclasses import replace

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.presets import Scales

ENCODER = {
    "model_type": "hubert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8] * 7,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
CONFORMER = {"num_layers": 1, "dim": 16, "num_heads": 2, "feed_forward_dim": 16, "kernel_size": 3}


def tiny_student(model):
    return {**model, "frontend": {"channels": [2, 2, 2, 2]}, "conformer": {**model["conformer"], **CONFORMER}}


def short(training, num_epochs, partition_epoch):
    rates, batch_seconds = training.learning_rates[-num_epochs:], 20 / training.accumulate
    return replace(
        training,
        learning_rates=rates,
        partition_epoch=partition_epoch,
        batch_seconds=batch_seconds,
        keep_epochs=(),
    )


def miniature(preset, *, encoder):
    return replace(
        preset,
        teacher={**preset.teacher, "encoder": encoder},
        teacher_training=short(preset.teacher_training, num_epochs=4, partition_epoch=2),
        teacher_candidates=preset.teacher_candidates and (4,),
        student=tiny_student(preset.student),
        student_training=short(preset.student_training, num_epochs=2, partition_epoch=1),
        baseline=preset.baseline and tiny_student(preset.baseline),
        baseline_training=preset.baseline_training and short(preset.baseline_training, num_epochs=2, partition_epoch=1),
        search=SearchConfig(beam_size=16),
        scales=Scales(lm=(0.5, 1.0), prior=(0.0, 1.0)),
        teacher_scales=Scales(lm=(1.0,), prior=(0.0,)),
        requests={"*": {"cpu": 1, "gpu": 0, "mem": 1}},
    )
