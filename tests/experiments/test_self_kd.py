"""The rows of self-distillation as graphs: who learns from whom, and what is measured."""

import importlib

import pytest
from sisyphus import job as sisyphus_job

from ctc_kd.analysis.alignment import AlignmentJob
from ctc_kd.experiments import self_kd as experiment
from ctc_kd.experiments.demo import DEMO
from ctc_kd.experiments.self_kd import TEACHER_SEED
from ctc_kd.experiments.self_kd_rows import ALL, FEW
from ctc_kd.report.self_kd import GREEDY, TUNED
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.train import TrainJob


@pytest.fixture
def outputs(monkeypatch):
    """Name -> path of what is registered."""
    found = {}
    monkeypatch.setattr(experiment, "register_outputs", lambda outputs, requests: found.update(outputs))
    return found


@pytest.fixture
def report(outputs):
    importlib.import_module("config.self_kd").demo((1, 2))
    return outputs["self_kd/demo/report"].creator


def jobs(kind):
    return [job for job in sisyphus_job.created_jobs.values() if isinstance(job, kind)]


def test_every_row_has_all_seeds_and_both_heads(report):
    labels = [row["label"] for row in report.rows]
    assert labels[:3] == ["Separate teacher", "All layers", "All layers"]
    assert labels.count("Self-KD, 2") == labels.count("Self-KD, 2, last head") == 2
    assert report.students == [f"{variant.name}, 2" for variant in FEW]
    assert report.papers == {"Self-KD, 2": 13.4, "Guide-CTC, 2": 18.5, "Softmax KD, 2": 20.7}
    assert all(set(row["decoders"]) == {TUNED, GREEDY} for row in report.rows)


def test_a_separate_teacher_has_a_seed_of_its_own_and_one_dump(report):
    (dump,) = jobs(DumpLogitsJob)
    teacher = dump.checkpoint.creator
    assert teacher.training.seed == TEACHER_SEED
    readers = [job for job in jobs(TrainJob) if job.teacher_logits is not None]
    assert {job.training.seed for job in readers} == {1, 2}
    assert {job.criterion.get("class") for job in readers} == {None, "GuidedCtcLoss"}
    assert all(job.model["encoder_options"]["num_hidden_layers"] == 2 for job in readers)


def test_the_seed_of_the_separate_teacher_is_its_own(outputs):
    with pytest.raises(ValueError, match=f"seed {TEACHER_SEED} is that of the separate teacher"):
        importlib.import_module("config.self_kd").demo((1, TEACHER_SEED))


def test_a_self_student_is_measured_beside_the_head_above_it(report):
    (row,) = (row for row in report.rows if (row["label"], row["seed"]) == ("Self-KD, 2", 1))
    alignment = row["alignment"].creator
    assert isinstance(alignment, AlignmentJob)
    student, teacher = (store.creator for store in (alignment.student, alignment.teacher))
    truncation = student.checkpoint.creator
    assert (student.model, teacher.model) == (truncation.truncated, truncation.model)
    assert truncation.checkpoint == teacher.checkpoint
    options = {"layerdrop": 0.0, "num_hidden_layers": 2}
    assert student.model == {**DEMO.teacher, "encoder_options": options}


def test_students_are_compared_with_pruning_and_self_distillation(report):
    compared = report.significance.creator.against
    assert compared["Guide-CTC, 2"] == ["Layer pruning, 2", "Self-KD, 2"]
    assert compared["Self-KD, 2"] == ["Layer pruning, 2"]
    assert "Layer pruning, 2" not in compared


def test_from_scratch_the_model_is_the_presets_student(outputs):
    importlib.import_module("config.self_kd").demo_from_scratch()
    (dump,) = jobs(DumpLogitsJob)
    teacher = dump.checkpoint.creator
    assert (teacher.model, teacher.training.learning_rates) == (DEMO.student, DEMO.student_training.learning_rates)
    assert "self_kd_from_scratch/demo/report" in outputs


def test_the_full_demo_has_every_row(outputs):
    importlib.import_module("config.self_kd").demo_full()
    students = outputs["self_kd_full/demo/report"].creator.students
    assert len(students) == len(set(students)) == len(ALL) + 4
    assert len({str(variant.criterion) for variant in ALL}) == len(ALL)
    assert "self_kd_full/demo/students/self-kd_shifted_by_-2-l2-s42.pt" in outputs
