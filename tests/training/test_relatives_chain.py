"""Rows of related methods, each trained for a sub-epoch by RETURNN, on one dump of a teacher and its N-best lists."""

import gc
import math
import multiprocessing
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from cpu_jobs import on_cpu
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.experiments.rows import Row
from ctc_kd.files import read_json
from ctc_kd.frames import FRAME_SHIFT_S, num_frames
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter
from ctc_kd.training.datasets import utterance_durations
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig

ROWS = {
    Row("soft", 1.0): {"kd"},
    Row("sequence", 0.5, 2): {"kd", "ctc"},
    Row("frames_and_path", 1.0, 0.5): {"kd", "path"},
    Row("factorised", 1.0): {"kd_blank", "kd_labels"},
    Row("delayed", 1.0, 1): {"kd"},
    Row("inter", 0.5, 0.3): {"kd", "ctc", "ikd", "ictc"},
    Row("guide", 0.5): {"guide", "ctc"},
    Row("intermediate", None, 0.3): {"ctc", "ictc"},
    Row("cr_ctc_half", None, 0.2): {"ctc", "cr"},
}
"""Row -> its losses."""

TRAINING = TrainingConfig((1e-3,), partition_epoch=1, batch_seconds=20.0)


def write_logits(path, *archives):
    """Random logits as a teacher of the student's frames would dump them. Most frames are blank."""
    rng, labels = np.random.default_rng(0), phonemes().labels
    with HdfWriter(path, labels=labels, metadata={"frame_shift_s": FRAME_SHIFT_S}) as writer:
        for utterance, duration_s in utterance_durations(archives).items():
            logits = rng.standard_normal((num_frames(duration_s), len(labels)))
            logits[:, -1] += 4
            writer.add(utterance, logits.astype("float16"))


@pytest.fixture
def grid(tiny, tmp_path):
    from sisyphus import tk

    student = {**tiny.student, "conformer": {**tiny.student["conformer"], "num_layers": 2}}
    preset = Preset(
        name="tiny",
        teacher=tiny.student,
        teacher_training=TRAINING,
        teacher_candidates=(1,),
        student=student,
        student_training=TRAINING,
        baseline_training=TrainingConfig((1e-3, 1e-3), partition_epoch=1, batch_seconds=20.0),
        temperature=2.0,
        normalisation="selected_frames",
        search=SearchConfig(),
        scales=Scales(lm=(1.0,), prior=(0.0,)),
    )
    nothing = dict.fromkeys(("train", "dev", "test"))
    corpus = Corpus(
        name="tiny",
        audio={"train": tiny.train, "dev": tiny.dev},
        cuts=nothing,
        transcripts=nothing,
        labels={"train": tiny.train_labels, "dev": tiny.dev_labels},
        lexicon=None,
        lm=None,
        lm_statistics={},
    )
    write_logits(tmp_path / "logits.hdf", tiny.train.get_path(), tiny.dev.get_path())
    grid = Distillation(corpus, preset)
    grid.__dict__["teacher_dump"] = SimpleNamespace(out_logits=tk.Path(str(tmp_path / "logits.hdf")))
    return grid


@pytest.fixture
def forked_returnn(monkeypatch):
    """RETURNN in copies of this process, which has imported what it needs: for each program that would take seconds."""
    from returnn.__main__ import main

    for module in ("ctc_kd.training.steps", "returnn.torch.engine", "torch._dynamo"):
        import_module(module)

    def run(config, **_options):
        gc.collect()  # a model of another test may own threads; its copy would wait for them forever when it is freed
        child = multiprocessing.get_context("fork").Process(target=main, args=(["returnn", config],))
        child.start()
        child.join()
        assert child.exitcode == 0

    monkeypatch.setattr("ctc_kd.training.run_returnn.run_returnn", run)


def test_every_row_trains(run_jobs, grid, forked_returnn):
    jobs = {row: grid.student(row) for row in ROWS}
    for job in [*jobs.values(), grid.hypotheses(2), grid.hypotheses(1)]:
        on_cpu(job)
    run_jobs(*(job.out_curves for job in jobs.values()))
    for row, losses in ROWS.items():
        scores = read_json(jobs[row].out_curves.get_path())[-1]["scores"]
        assert {name for name in scores if "_loss_" in name} == {
            f"{part}_loss_{name}" for part in ("train", "dev") for name in losses
        }
        assert all(math.isfinite(value) and value >= 0 for value in scores.values())
        # without SpecAugment and dropout both views are equal
        assert all(scores[f"dev_loss_{name}"] > 0 for name in losses - {"cr"})
        if "cr" in losses:
            assert scores["train_loss_cr"] > 0 and scores["dev_loss_cr"] < 1e-6


def test_inputs_that_a_loss_does_not_take_are_left(run_jobs, tiny, grid, forked_returnn):
    job = TrainJob(
        model=tiny.student,
        criterion={"class": "ConsistencyLoss", "alpha": 0.2},
        training=TRAINING,
        audio=[tiny.train],
        dev_audio=tiny.dev,
        labels=tiny.train_labels,
        dev_labels=tiny.dev_labels,
        teacher_logits=grid.teacher_dump.out_logits,
    )
    run_jobs(on_cpu(job).out_curves)
    assert math.isfinite(read_json(job.out_curves.get_path())[-1]["scores"]["dev_loss_ctc"])
