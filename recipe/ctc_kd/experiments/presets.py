"""Presets: every number of an experiment that is a choice, in one place each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sisyphus import Job, tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.requests import requests_of_settings
from ctc_kd.lexicon.inventory import labels_with_blank
from ctc_kd.nn.schedules import one_cycle
from ctc_kd.training.train import TrainingConfig

NUM_LABELS_WITH_BLANK = len(labels_with_blank())


@dataclass(frozen=True)
class Scales:
    """The grid of scales that is searched on dev, see ``ctc_kd.decoding.tune``."""

    lm: tuple[float, ...]
    prior: tuple[float, ...]


@dataclass(frozen=True)
class Preset:
    """
    :param teacher, student: class and config of the models, see ``ctc_kd.training.steps.build_model``
    :param teacher_candidates: sub-epochs of the teacher whose dev WER is measured; the best one teaches, as in the
        paper. If there are none, the mean of the best four by dev CTC teaches, as in the published code
    :param temperature, normalisation: of the KD loss, see ``ctc_kd.nn.losses.kd_loss``
    :param scales: grid of the students
    :param plain_normalisation: of plain KD beside a CTC loss; at lambda = 1 only the optimiser's step size could tell
        the two apart, and counting labels would need transcripts
    :param baseline, baseline_training: model and training without distillation; the students' if None
    :param teacher_scales: grid of the teacher; the students' if None
    :param speed_factors: of the training audio, each utterance once with every factor
    :param audio_format: of the archives, ``"flac"`` or ``"vorbis"``, see ``ctc_kd.corpus.ogg_zip``
    :param requests: resources of all jobs, job class name -> changes to them under ``"*"``
    """

    name: str
    teacher: dict[str, Any]
    teacher_training: TrainingConfig
    teacher_candidates: tuple[int, ...]
    student: dict[str, Any]
    student_training: TrainingConfig
    temperature: float
    normalisation: str
    search: SearchConfig
    scales: Scales
    plain_normalisation: str = "selected_frames"
    baseline: dict[str, Any] | None = None
    baseline_training: TrainingConfig | None = None
    teacher_scales: Scales | None = None
    speed_factors: tuple[float, ...] = (1.0,)
    audio_format: str = "flac"
    requests: dict[str, dict] = field(default_factory=dict)

    def place(self, job: Job) -> Job:
        """Give ``job`` the resources of this preset, then of ``settings.py``; they are no part of its identity."""
        for requests in (self.requests, requests_of_settings()):
            job.rqmt.update({**requests.get("*", {}), **requests.get(type(job).__name__, {})})
        return job


DEMO_ENCODER = tk.Path(
    str(Path(__file__).parents[1] / "data" / "demo_teacher"), hash_overwrite="ctc_kd/data/demo_teacher"
)

DEMO = Preset(
    name="demo",
    teacher={
        "class": "SpeechEncoderCtc",
        "encoder": DEMO_ENCODER,
        "num_labels_with_blank": NUM_LABELS_WITH_BLANK,
        "dropout": 0.1,
        "train_convolutions": False,
    },
    teacher_training=TrainingConfig(
        learning_rates=tuple(one_cycle(7, peak=1e-3, start=1e-4)),
        partition_epoch=1,
        batch_seconds=25,
        gradient_clip=1.0,
        keep_epochs=(6,),
        keep_best=0,
    ),
    teacher_candidates=(6, 7),
    student={
        "class": "StudentCtc",
        "num_labels_with_blank": NUM_LABELS_WITH_BLANK,
        "log_mel": {"normalise": True},
        "spec_augment": {
            "min_time_masks": 1,
            "frames_per_time_mask": 50,
            "max_time_width": 12,
            "min_frequency_masks": 1,
            "max_frequency_masks": 2,
            "max_frequency_width": 12,
        },
        "frontend": {"channels": [4, 8, 8, 8]},
        "conformer": {
            "num_layers": 4,
            "dim": 128,
            "num_heads": 4,
            "feed_forward_dim": 256,
            "kernel_size": 15,
            "dropout": 0.1,
        },
    },
    student_training=TrainingConfig(
        learning_rates=tuple(one_cycle(12, peak=2e-3, start=2e-4, end_of_decay=2e-4, final=1e-5)),
        partition_epoch=1,
        batch_seconds=15,
        gradient_clip=1.0,
        keep_best=0,
    ),
    temperature=2.0,
    normalisation="selected_frames",
    search=SearchConfig(beam_size=128, beam_size_token=12, beam_threshold=14.0),
    scales=Scales(lm=(1.0, 1.5, 2.0, 2.5), prior=(0.0, 0.4, 0.8)),
    requests={"*": {"cpu": 1, "gpu": 0, "mem": 2}},
)
