"""Presets: all choices of an experiment in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.plain_numbers import make_plain
from ctc_kd.training.training_config import TrainingConfig


@dataclass(frozen=True)
class Scales:
    """
    The grid of scales that is searched on dev, see ``ctc_kd.decoding.tune``.

    :param climb: search only from its middle to a lower error rate
    """

    lm: tuple[float, ...]
    prior: tuple[float, ...]
    climb: bool = False

    def __post_init__(self):
        make_plain(self)


@dataclass(frozen=True)
class Preset:
    """
    :param teacher, student: class and config of the models, see ``ctc_kd.training.build.build_model``
    :param teacher_candidates: sub-epochs of the teacher whose dev WER is measured; the best one teaches, as in the
        paper. If there are none, the mean of the four with the best CTC loss on dev teaches, as in the published code
    :param temperature, normalisation: of the KD loss, see ``ctc_kd.nn.losses.kd_loss``
    :param scales: grid of the students
    :param plain_normalisation: of plain KD beside a CTC loss. At lambda = 1 it would change nothing but the size of
        gradients, and counting labels would need transcripts
    :param baseline, baseline_training: model and training without distillation; the students' if None
    :param teacher_scales: grid of the teacher; the students' if None
    :param speed_factors: factors of length for the training audio; each utterance occurs once with each factor
    :param audio_format: of the archives, ``"flac"`` or ``"vorbis"``, see ``ctc_kd.corpus.ogg_zip``
    :param requests: resources by kind of job, see ``ctc_kd.experiments.requests.register_outputs``
    :param notes: sentences that a reader of the report should know
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
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        make_plain(self)
