"""A config: that of the paper, which the test puts beside it, with tiny models and a few rows of its tables."""

from dataclasses import replace

from config import kd_blank

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.paper_presets import PUBLISHED
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
ROWS = ("teacher", "baseline", "all-l0.9", "symmetric-n1-l1", "symmetric-n2-l1", "prior-scale0.5-l1")


def tiny_student(model):
    return {**model, "frontend": {"channels": [2, 2, 2, 2]}, "conformer": {**model["conformer"], **CONFORMER}}


def short(training, num_epochs, partition_epoch):
    rates = training.learning_rates[-num_epochs:]
    return replace(training, learning_rates=rates, partition_epoch=partition_epoch, batch_seconds=20)


def miniature(preset):
    return replace(
        preset,
        teacher={**preset.teacher, "encoder": ENCODER},
        teacher_training=short(preset.teacher_training, num_epochs=4, partition_epoch=2),
        student=tiny_student(preset.student),
        student_training=short(preset.student_training, num_epochs=2, partition_epoch=1),
        baseline=preset.baseline and tiny_student(preset.baseline),
        baseline_training=preset.baseline_training and short(preset.baseline_training, num_epochs=2, partition_epoch=1),
        search=SearchConfig(beam_size=16),
        scales=Scales(lm=(0.5, 1.0), prior=(0.0, 1.0)),
        teacher_scales=Scales(lm=(1.0,), prior=(0.0,)),
        requests={"*": {"cpu": 1, "gpu": 0, "mem": 1}},
    )


def py():
    tables = (kd_blank.TABLE_1, kd_blank.TABLE_2, kd_blank.PRIOR)
    kd_blank.TABLE_1, kd_blank.TABLE_2, kd_blank.PRIOR = [
        [row for row in table if row.name in ROWS] for table in tables
    ]
    presets = {corpus: miniature(preset) for corpus, preset in PUBLISHED.items()}
    kd_blank.py(["tedlium2"], ["teacher", "baseline", "all", "symmetric"], presets=presets)
    kd_blank.py(["librispeech-other"], ["teacher", "all", "prior"], presets=presets)
