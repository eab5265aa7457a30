"""The paper's experiments, as its text describes them (``PAPER``) and as its authors' code ran them (``PUBLISHED``).

Keys are the corpora. docs/fidelity.md lists the differences between text, code and this pipeline.
"""

from __future__ import annotations

from dataclasses import replace

from ctc_kd.corpus.speed import LENGTH_FACTORS
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.nn.schedules import one_cycle, teacher_ramp
from ctc_kd.training.training_config import TrainingConfig

REQUESTS = {
    "TrainG2PJob": {"time": 72},
    "NgramLmJob": {"mem": 32, "time": 8},
    "KenLmBinaryJob": {"mem": 16},
    "MixtureWeightsJob": {"mem": 32},
    "MixLmsJob": {"mem": 96, "time": 12},
    "PruneLmJob": {"mem": 96, "time": 12},
    "LmStatisticsJob": {"mem": 16},
    "TuneScalesJob": {"cpu": 8, "mem": 24, "time": 24},
    "SearchJob": {"cpu": 8, "mem": 24},
    "OggZipJob": {"cpu": 8, "mem": 16},
}
"""Resources for these corpora, where they need more than a job requests by itself."""

RADAM = {"class": "radam", "epsilon": 1e-16, "weight_decay": 0.01, "decoupled_weight_decay": True}


def teacher(num_labels_with_blank: int) -> dict:
    return {
        "class": "SpeechEncoderCtc",
        "encoder": "facebook/hubert-large-ll60k",
        "num_labels_with_blank": num_labels_with_blank,
    }


def student(num_labels_with_blank: int, *, dropout: float, frequency_mask: int = 16) -> dict:
    """:param frequency_mask: greatest width in mel bins"""
    return {
        "class": "StudentCtc",
        "num_labels_with_blank": num_labels_with_blank,
        "spec_augment": {"max_frequency_width": frequency_mask},
        "conformer": {"dropout": dropout},
    }


def teacher_training(num_epochs: int, partition_epoch: int) -> TrainingConfig:
    """Fine-tuning in bf16. The text gives no learning rates; these are the code's, which only ever rise."""
    return TrainingConfig(
        learning_rates=tuple(teacher_ramp(num_epochs)),
        partition_epoch=partition_epoch,
        batch_seconds=120,
        accumulate=3,
        optimizer=RADAM,
        autocast="bfloat16",
    )


def every_full_epoch(training: TrainingConfig) -> dict:
    """Keeps the checkpoints after every pass over the data, and compares them on dev (section 4.2)."""
    epochs = tuple(range(training.partition_epoch, training.num_epochs + 1, training.partition_epoch))
    return {
        "teacher_training": replace(training, keep_epochs=epochs),
        "teacher_candidates": epochs,
    }


_TEDLIUM2 = Preset(
    name="paper",
    teacher=teacher(79),
    student=student(79, dropout=0.2),
    student_training=TrainingConfig(
        learning_rates=tuple(one_cycle(500)), partition_epoch=5, batch_seconds=180, autocast="bfloat16"
    ),
    temperature=1.0,
    normalisation="selected_frames",
    search=SearchConfig(),
    scales=Scales(lm=(1.2, 1.3, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8), prior=(0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)),
    teacher_scales=Scales(lm=(1.0, 1.2, 1.4, 1.6, 1.8, 2.0), prior=(0.1, 0.2, 0.3, 0.4)),
    requests=REQUESTS,
    **every_full_epoch(teacher_training(num_epochs=50, partition_epoch=5)),
)

_LIBRISPEECH = replace(
    _TEDLIUM2,
    student=student(79, dropout=0.1),
    student_training=TrainingConfig(
        learning_rates=tuple(one_cycle(500)), partition_epoch=10, batch_seconds=300, autocast="bfloat16"
    ),
    scales=Scales(lm=(2.0, 2.2, 2.4, 2.6, 2.8, 3.0), prior=(0.1, 0.2, 0.3)),
    teacher_scales=Scales(lm=(1.6, 1.8, 2.0), prior=(0.1, 0.2)),
    **every_full_epoch(teacher_training(num_epochs=100, partition_epoch=10)),
)

PAPER = {"tedlium2": _TEDLIUM2, "librispeech-other": _LIBRISPEECH, "librispeech-clean": _LIBRISPEECH}

_CODE = {
    "name": "published",
    "teacher_candidates": (),  # the mean of the best four teaches
    "temperature": 2.0,
    "plain_normalisation": "batch_times_labels",
}

_PUBLISHED_TEDLIUM2 = replace(
    _TEDLIUM2,
    teacher_training=teacher_training(num_epochs=50, partition_epoch=5),
    student=student(79, dropout=0.2, frequency_mask=8),
    student_training=replace(
        _TEDLIUM2.student_training, batch_seconds=90, accumulate=2, optimizer=RADAM, autocast=None
    ),
    baseline=student(79, dropout=0.2),
    baseline_training=replace(_TEDLIUM2.student_training, optimizer=RADAM, autocast=None),
    **_CODE,
)

_PUBLISHED_LIBRISPEECH = replace(
    _LIBRISPEECH,
    teacher=teacher(80),
    teacher_training=teacher_training(num_epochs=50, partition_epoch=10),
    student=student(80, dropout=0.1),
    student_training=replace(
        _LIBRISPEECH.student_training,
        learning_rates=tuple(one_cycle(500, cool_down=0.08)),
        partition_epoch=30,  # a thirtieth of the data at three speeds has as many updates as a tenth at one
        gradient_clip=1.0,
    ),
    speed_factors=LENGTH_FACTORS,
    **_CODE,
)

PUBLISHED = {
    "tedlium2": _PUBLISHED_TEDLIUM2,
    "librispeech-other": _PUBLISHED_LIBRISPEECH,
    "librispeech-clean": _PUBLISHED_LIBRISPEECH,
}
