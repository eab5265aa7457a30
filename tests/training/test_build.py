"""Models and losses are checked when a graph is declared, without torch."""

import math
import subprocess
import sys

import pytest
from sisyphus import tk

from ctc_kd.nn.distillation import DistillationLoss
from ctc_kd.training.build import check_model, with_two_heads
from ctc_kd.training.criteria import CRITERIA, build_criterion, check_criterion, needs_of
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig

STUDENT = {"class": "StudentCtc", "num_labels_with_blank": 79}
TEACHER = {"class": "SpeechEncoderCtc", "num_labels_with_blank": 79}


def check(criterion, labels="labels", teacher_logits="logits"):
    check_criterion(criterion, model=STUDENT, labels=labels, teacher_logits=teacher_logits)


def masked(**spec_augment):
    return {**STUDENT, "spec_augment": spec_augment}


def kd(**selection):
    return {"kd_scale": 1.0, "selection": selection}


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ({"num_labels_with_blank": 79}, '"class": None; expected one of StudentCtc, SpeechEncoderCtc'),
        ({**STUDENT, "class": "Student"}, "\"class\": 'Student'; expected one of StudentCtc"),
        ({**STUDENT, "conformer": {"dropuot": 0.1}}, "StudentCtc cannot be built: .*dropuot"),
        ({**STUDENT, "conformer": {"dim": 100}}, "StudentCtc cannot be built: dim 100 is not a multiple of num_heads"),
        ({**STUDENT, "conformer": {"kernel_size": 4}}, "kernel_size 4 is even"),
        (TEACHER, "SpeechEncoderCtc cannot be built: .*encoder"),
        ({**TEACHER, "encoder": "x", "waveform": "loud"}, "waveform 'loud'"),
        (masked(min_time_masks=-1), "min_time_masks -1: expected at least 0"),
        (masked(frames_per_time_mask=0), "frames_per_time_mask 0: expected at least 1"),
        (masked(max_frequency_width=0), "StudentCtc cannot be built: max_frequency_width 0: expected at least 1"),
    ],
)
def test_a_wrong_model_is_named(model, fault):
    with pytest.raises(ValueError, match=fault):
        check_model(model)


@pytest.mark.parametrize(
    ("criterion", "fault"),
    [
        ({}, "kd_scale None, expected the weight"),
        ({"kd_scale": 1.5}, "kd_scale 1.5, expected"),
        ({"kd_scale": 1.0, "temprature": 2}, "DistillationLoss has temprature; expected only kd_scale, temperature"),
        ({"class": "Distillation", "kd_scale": 1.0}, "\"class\": 'Distillation'; expected one of DistillationLoss"),
        ({"kd_scale": "1"}, "kd_scale '1', expected"),
        ({"kd_scale": 1.0, "temperature": 0.0}, "temperature 0.0, expected"),
        ({"kd_scale": 1.0, "temperature": math.nan}, "temperature nan, expected"),
        ({"kd_scale": 1.0, "normalisation": "frames"}, "normalisation 'frames', expected one of selected_frames"),
        (kd(rule="symetric", parameters={"n": 1}), "no selection rule 'symetric'; expected one of all, eliminate"),
        (kd(rule="baseline"), "no selection rule 'baseline'"),
        (kd(rule="trim", parameter={"n": 1}), r"a selection has \['parameter', 'rule'\]"),
        (kd(rule="symmetric"), r"'symmetric' takes \['n'\], got \[\]"),
        (kd(rule="symmetric", parameters={"n": -1}), "'symmetric': n is -1, expected a whole number above 0"),
        (kd(rule="trim", parameters={"n": 1}), r"'trim' takes no parameters, got \['n'\]"),
        (kd(rule="trim", parameters=None), "'trim' has parameters None; expected a dict"),
        (kd(rule="prior", parameters={"scale": 0.5}), "'prior' needs the log_prior"),
        ({**kd(rule="trim"), "log_prior": "prior.txt"}, "'trim' takes no log_prior"),
        ({"class": "DelayedLoss", "kd_scale": 1.0}, "delayed: d is None, expected a whole number above 0"),
        ({"class": "InterLoss", "kd_scale": 1.0, "share": 1.0}, "inter: share is 1.0, expected a number above 0, at"),
        ({"class": "ConsistencyLoss", "alpha": 0}, "cr_ctc: alpha is 0, expected a number above 0"),
        ({"class": "SequenceLoss", "kd_scale": 0.9, "n": 2}, "SequenceLoss has n; expected only kd_scale"),
        ({"class": "SequenceLoss", "kd_scale": 0.9}, "kd_scale 0.9 gives .*, which needs hypotheses of a teacher"),
    ],
)
def test_a_wrong_criterion_is_named(criterion, fault):
    with pytest.raises(ValueError, match=fault):
        check(criterion)


def test_labels_are_not_counted_where_none_are_read():
    with pytest.raises(ValueError, match="kd_scale 1.* reads no labels that batch_times_labels could count"):
        check({"kd_scale": 1.0, "normalisation": "batch_times_labels"}, labels=None)
    assert needs_of({**SELF, "normalisation": "batch_times_labels"}).labels, "both heads read labels"


def test_a_criterion_needs_its_inputs():
    with pytest.raises(ValueError, match="kd_scale 0.9 leaves a weight to the CTC loss, which needs label sequences"):
        check({"kd_scale": 0.9}, labels=None)
    with pytest.raises(ValueError, match="kd_scale 0.9 .*, which needs the logits of a teacher"):
        check({"kd_scale": 0.9}, teacher_logits=None)
    check({"kd_scale": 1.0}, labels=None)
    check({"kd_scale": 0.0}, teacher_logits=None)
    with pytest.raises(ValueError, match="CR-CTC is the CTC loss of two views, which needs label sequences"):
        check({"class": "ConsistencyLoss", "alpha": 0.2}, labels=None, teacher_logits=None)
    check({"class": "ConsistencyLoss", "alpha": 0.2}, teacher_logits=None)


SELF = {"class": "SelfDistillationLoss", "alpha": {"clipped_line": 0.3}}


@pytest.mark.parametrize(
    ("criterion", "fault"),
    [
        ({**SELF, "alpha": 1.5}, "alpha 1.5, expected a weight from 0 to 1"),
        ({**SELF, "alpha": {"clipped_line": 0.6}}, "alpha {'clipped_line': 0.6}, expected"),
        ({**SELF, "alpha": {"line": 0.3}}, "alpha {'line': 0.3}, expected"),
        ({"class": "IntermediateCtcLoss"}, "alpha None, expected"),
        ({**SELF, "teacher_shift": 0.5}, "teacher_shift 0.5, expected a whole number of frames"),
        ({**SELF, "temperature": 0}, "temperature 0, expected"),
        ({**SELF, "selection": {"rule": "prior", "parameters": {"scale": 0.5}}}, "'prior' needs the log_prior"),
        (SELF, "SelfDistillationLoss needs two heads, but a StudentCtc has one"),
    ],
)
def test_a_wrong_criterion_of_two_heads_is_named(criterion, fault):
    with pytest.raises(ValueError, match=fault):
        check(criterion)


def test_a_criterion_of_two_heads_has_the_weight_of_its_epoch():
    model = with_two_heads(STUDENT, 6)
    check_criterion(SELF, model=model, labels="labels", teacher_logits=None)
    with pytest.raises(ValueError, match="both heads have a CTC loss, which needs label sequences"):
        check_criterion(SELF, model=model, labels=None, teacher_logits=None)
    weights = [build_criterion(SELF, epoch=epoch, num_epochs=11).alpha for epoch in (1, 5, 6, 11)]
    assert weights == pytest.approx([0.3, 0.4, 0.5, 0.7])


def test_what_passes_the_check_can_be_built(tmp_path):
    (tmp_path / "prior.txt").write_text("-1.0\n-2.0\n")
    criterion = {**kd(rule="prior", parameters={"scale": 0.5}), "log_prior": str(tmp_path / "prior.txt")}
    criterion |= {"temperature": 1.0, "normalisation": "selected_frames"}
    check(criterion)
    assert set(criterion) == set(CRITERIA["DistillationLoss"].fields)
    assert isinstance(build_criterion(criterion), DistillationLoss)


def test_half_of_the_updates_have_the_same_schedule():
    rates = (1e-4, 2e-4, 3e-4, 2e-4, 1e-4)
    training = TrainingConfig(rates, partition_epoch=2, batch_seconds=4.0, keep_epochs=(3,))
    half = training.shortened(0.5)
    assert half.learning_rates == (2e-4, 1e-4)
    assert half.keep_epochs == ()
    assert training.checkpoint_name(3) == "epoch.003.pt"
    with pytest.raises(ValueError, match=r"sub-epoch 3 of 2 is not kept, only \[2\]: name it in keep_epochs"):
        half.checkpoint_name(3)
    assert training.shortened(1.0) == training
    assert TrainingConfig((1e-3,), partition_epoch=1, batch_seconds=4.0).shortened(0.5).num_epochs == 1


def test_a_training_is_refused_when_it_is_declared():
    training = TrainingConfig((1e-3,), partition_epoch=1, batch_seconds=4.0)
    audio = {"audio": [tk.Path("train.zip")], "dev_audio": tk.Path("dev.zip"), "training": training}
    with pytest.raises(ValueError, match="dropuot"):
        TrainJob(model={**STUDENT, "conformer": {"dropuot": 0.1}}, criterion=kd(rule="all"), **audio)
    with pytest.raises(ValueError, match="needs the logits of a teacher"):
        TrainJob(model=STUDENT, criterion=kd(rule="all"), **audio)
    with pytest.raises(ValueError, match="a HamaCtc brings its weights and is not trained here"):
        TrainJob(
            model={"class": "HamaCtc", "num_labels_with_blank": 9},
            criterion={"kd_scale": 0.0},
            labels=tk.Path("labels"),
            **audio,
        )
    with pytest.raises(ValueError, match="labels of only one of train and dev"):
        TrainJob(model=STUDENT, criterion={"kd_scale": 0.0}, labels=tk.Path("labels"), **audio)


def test_a_graph_is_checked_without_torch():
    code = "import sys, ctc_kd.training.train; sys.exit(bool({'torch', 'numpy', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
