"""Presets for a few hours of real speech instead of hundreds."""

from __future__ import annotations

from dataclasses import replace

from sisyphus import tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.demo import DEMO
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.nn.schedules import one_cycle
from ctc_kd.training.training_config import TrainingConfig


def mini(encoder: str | tk.Path) -> Preset:
    """For Mini LibriSpeech on one GPU: the paper's student at a third of its size, and any pre-trained encoder.

    :param encoder: a name of the Hugging Face hub, or a local folder
    """
    return Preset(
        name="mini",
        teacher={"class": "SpeechEncoderCtc", "encoder": encoder, "num_labels_with_blank": 79, "dropout": 0.1},
        teacher_training=TrainingConfig(
            learning_rates=tuple(one_cycle(20, peak=1e-4, start=1e-5, end_of_decay=1e-5)),
            partition_epoch=1,
            batch_seconds=100,
            gradient_clip=1.0,
            autocast="bfloat16",
            keep_epochs=(16, 18),
        ),
        teacher_candidates=(16, 18, 20),
        student={
            "class": "StudentCtc",
            "num_labels_with_blank": 79,
            "log_mel": {"normalise": True},
            "conformer": {"num_layers": 8, "dim": 256, "num_heads": 4, "feed_forward_dim": 1024, "dropout": 0.1},
        },
        student_training=TrainingConfig(
            learning_rates=tuple(one_cycle(100, peak=1e-3, start=1e-5)),
            partition_epoch=1,
            batch_seconds=100,
            gradient_clip=1.0,
            autocast="bfloat16",
        ),
        temperature=2.0,
        normalisation="selected_frames",
        search=SearchConfig(beam_size=512),
        scales=Scales(lm=(1.0, 1.4, 1.8, 2.2, 2.6), prior=(0.0, 0.2, 0.4, 0.6)),
        requests={"KenLmBinaryJob": {"mem": 16}, "TuneScalesJob": {"mem": 16, "cpu": 4}, "SearchJob": {"mem": 16}},
    )


def mini_on_cpu(encoder: str | tk.Path, *, parts: int = 1) -> Preset:
    """For half an hour of speech on two cores: the demo's student, trained for longer.

    :param parts: of more speech; teacher and students hear one of them in each sub-epoch, so all need as long as
        before. The teacher has six sub-epochs, so with more parts it does not hear all of them
    """
    return replace(
        DEMO,
        name="mini_on_cpu",
        teacher={"class": "SpeechEncoderCtc", "encoder": encoder, "num_labels_with_blank": 79, "dropout": 0.1},
        teacher_training=replace(
            DEMO.teacher_training,
            learning_rates=tuple(one_cycle(6, peak=2e-4, start=5e-5)),
            partition_epoch=parts,
            batch_seconds=40,
            keep_epochs=(5,),
        ),
        teacher_candidates=(5, 6),
        student_training=replace(
            DEMO.student_training,
            learning_rates=tuple(one_cycle(40, peak=2e-3, start=1e-4, end_of_decay=2e-4, final=1e-5)),
            partition_epoch=parts,
            batch_seconds=25,
        ),
        requests={"*": {"cpu": 1, "gpu": 0, "mem": 3}},  # with Whisper base, trainings take up to 2.3
        notes=(),
    )
