"""The losses against plain definitions, one frame at a time, and their gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.nn.criterion import match_frames
from ctc_kd.nn.distillation import DistillationLoss
from ctc_kd.nn.losses import ctc_loss, kd_loss
from ctc_kd.nn.selection import Selection


def random_batch(seed=0, batch=3, frames=7, classes=5):
    generator = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, batch, frames, classes, generator=generator)
    mask = torch.rand(batch, frames, generator=generator) < 0.6
    return student, teacher, mask


def plain_kd(student, teacher, mask, temperature):
    total = 0.0
    for i, t in mask.nonzero().tolist():
        p = (teacher[i, t].double() / temperature).softmax(0)
        q = (student[i, t].double() / temperature).softmax(0)
        total += float((p * (p / q).log()).sum())
    return temperature**2 * total


@given(seed=st.integers(0, 1000), temperature=st.sampled_from([0.5, 1.0, 2.0]))
@settings(max_examples=30)
def test_kd_equals_the_plain_definition(seed, temperature):
    student, teacher, mask = random_batch(seed)
    total = plain_kd(student, teacher, mask, temperature)
    selected = kd_loss(student, teacher, mask, temperature=temperature, normalisation="selected_frames")
    assert float(selected) == pytest.approx(total / max(int(mask.sum()), 1), rel=1e-5, abs=1e-7)
    published = kd_loss(
        student, teacher, mask, temperature=temperature, normalisation="batch_times_labels", num_labels=torch.tensor(11)
    )
    assert float(published) == pytest.approx(total / (3 * 11), rel=1e-5, abs=1e-7)


def test_kd_of_a_batch_without_labels_is_finite():
    student, teacher, mask = random_batch()
    arguments = {"temperature": 2.0, "normalisation": "batch_times_labels"}
    loss = kd_loss(student, teacher, mask, num_labels=torch.tensor(0), **arguments)
    assert float(loss) == float(kd_loss(student, teacher, mask, num_labels=1, **arguments))


def test_kd_takes_the_dumped_fp16_logits():
    student, teacher, mask = random_batch()
    arguments = {"temperature": 2.0, "normalisation": "selected_frames"}
    loss = kd_loss(student, teacher.half(), mask, **arguments)
    assert loss.dtype == torch.float32
    assert float(loss) == float(kd_loss(student, teacher.half().float(), mask, **arguments))


@pytest.mark.parametrize("normalisation", ["selected_frames", "batch_times_labels"])
def test_kd_gradients(normalisation):
    student, teacher, mask = random_batch()
    student = student.double().requires_grad_()
    loss = lambda x: kd_loss(x, teacher.double(), mask, temperature=2.0, normalisation=normalisation, num_labels=4)
    assert torch.autograd.gradcheck(loss, student)


def test_kd_gradient_has_the_closed_form():
    """d loss / d z = temperature * (q - p) / number of frames, so T^2 keeps the gradient's size."""
    student, teacher, mask = random_batch()
    student.requires_grad_()
    kd_loss(student, teacher, mask, temperature=2.0, normalisation="selected_frames").backward()
    expected = 2.0 * ((student / 2).softmax(-1) - (teacher / 2).softmax(-1)) / mask.sum() * mask[..., None]
    torch.testing.assert_close(student.grad, expected.detach())


@pytest.mark.parametrize("garbage", [math.inf, -math.inf, math.nan, 3e38])
def test_kd_ignores_garbage_outside_of_the_mask(garbage):
    student, teacher, mask = random_batch()
    arguments = {"temperature": 2.0, "normalisation": "selected_frames"}
    expected = kd_loss(student, teacher, mask, **arguments)
    student[~mask], teacher[~mask] = garbage, garbage
    student.requires_grad_()
    loss = kd_loss(student, teacher, mask, **arguments)
    loss.backward()
    assert float(loss.detach()) == float(expected)
    assert student.grad.isfinite().all()
    assert (student.grad[~mask] == 0).all()


def test_kd_of_classes_that_the_teacher_rules_out():
    student, teacher, mask = random_batch()
    teacher[..., 1] = -math.inf
    without = [torch.cat([logits[..., :1], logits[..., 2:]], dim=-1) for logits in (student, teacher)]
    arguments = {"temperature": 2.0, "normalisation": "selected_frames"}
    student.requires_grad_()
    loss = kd_loss(student, teacher, mask, **arguments)
    loss.backward()
    normaliser = (student / 2).logsumexp(-1) - (without[0] / 2).logsumexp(-1)  # the student's share of that class
    expected = kd_loss(*without, mask, **arguments) + 4 * normaliser[mask].mean()
    torch.testing.assert_close(loss, expected)
    q_minus_p = (student / 2).softmax(-1) - (teacher / 2).softmax(-1)
    torch.testing.assert_close(student.grad, (2.0 * q_minus_p / mask.sum() * mask[..., None]).detach())


def test_kd_shows_a_teacher_that_has_diverged():
    student, teacher, mask = random_batch()
    for value in (math.nan, math.inf):
        teacher[mask] = value
        assert kd_loss(student, teacher, mask, temperature=1.0, normalisation="selected_frames").isnan()


def test_kd_without_selected_frames_is_zero():
    student, teacher, mask = random_batch()
    student.requires_grad_()
    loss = kd_loss(student, teacher, mask & False, temperature=2.0, normalisation="selected_frames")
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert (student.grad == 0).all()


def test_kd_is_finite_for_extreme_logits():
    student, teacher, mask = random_batch()
    loss = kd_loss(1e4 * student, 1e4 * teacher, mask, temperature=1.0, normalisation="selected_frames")
    assert loss.isfinite()


def test_kd_refuses_unclear_normalisation():
    student, teacher, mask = random_batch()
    with pytest.raises(ValueError, match="needs num_labels"):
        kd_loss(student, teacher, mask, temperature=2.0, normalisation="batch_times_labels")
    with pytest.raises(ValueError, match="expected one of selected_frames, batch_times_labels"):
        kd_loss(student, teacher, mask, temperature=2.0, normalisation="mean")


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_that_makes_no_sense_is_refused(temperature):
    student, teacher, mask = random_batch()
    with pytest.raises(ValueError, match=f"temperature {temperature}, expected a finite number above 0"):
        kd_loss(student, teacher, mask, temperature=temperature, normalisation="selected_frames")
    with pytest.raises(ValueError, match=f"temperature {temperature}, expected a finite number above 0"):
        DistillationLoss(1.0, temperature=temperature)


@pytest.mark.parametrize("kd_scale", [-0.5, 1.5, math.nan, "0.5", None])
def test_a_weight_that_makes_no_sense_is_refused(kd_scale):
    with pytest.raises(ValueError, match=f"kd_scale {kd_scale!r}, expected the weight of the KD loss, from 0 to 1"):
        DistillationLoss(kd_scale)


@given(teacher_frames=st.integers(8, 12), padding=st.integers(0, 3))
def test_teacher_and_student_may_differ_by_one_frame(teacher_frames, padding):
    teacher, lengths = torch.randn(2, teacher_frames, 3), torch.tensor([10, 7])
    arguments = (teacher, torch.tensor([teacher_frames, 7]), 10 + padding, lengths)
    if abs(teacher_frames - 10) > 1:
        with pytest.raises(ValueError, match="the frames of teacher and student differ by 2: .* the same audio"):
            match_frames(*arguments)
    else:
        aligned = match_frames(*arguments)
        common = min(teacher_frames, 10 + padding)
        assert aligned.shape == (2, 10 + padding, 3)
        assert torch.equal(aligned[:, :common], teacher[:, :common])


def plain_ctc(log_probs, target, blank):
    """-log of the sum over all alignments, by the forward algorithm in plain numbers."""
    states = [blank]
    for label in target:
        states += [label, blank]
    alpha = {0: 1.0}
    for t, frame in enumerate(log_probs.double().exp().tolist()):
        new = {}
        for state, p in alpha.items() if t else [(0, 1.0), (1, 1.0)]:
            for step in (0, 1, 2) if t else (0,):
                to = state + step
                skips = step == 2 and (states[state] == blank or to >= len(states) or states[to] == states[state])
                if to < len(states) and not skips:
                    new[to] = new.get(to, 0.0) + p * frame[states[to]]
        alpha = new
    return -math.log(alpha.get(len(states) - 1, 0.0) + alpha.get(len(states) - 2, 0.0))


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_ctc_equals_the_plain_definition(dtype):
    logits = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    targets, target_lengths = torch.tensor([[0, 0, 2], [1, 2, 0]], dtype=dtype), torch.tensor([3, 2], dtype=dtype)
    lengths = torch.tensor([6, 4], dtype=dtype)
    total = plain_ctc(logits[0].log_softmax(-1), [0, 0, 2], 3) + plain_ctc(logits[1, :4].log_softmax(-1), [1, 2], 3)
    loss = ctc_loss(logits, lengths, targets, target_lengths, blank=3)
    assert float(loss) == pytest.approx(total / 5, rel=1e-5)


def test_ctc_counts_impossible_utterances_as_zero():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    targets, target_lengths = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0]]), torch.tensor([4, 1])
    loss = ctc_loss(logits, torch.tensor([3, 3]), targets, target_lengths, blank=3)
    loss.backward()
    alone = ctc_loss(logits[1:], torch.tensor([3]), targets[1:, :1], torch.tensor([1]), blank=3)
    assert loss.item() == pytest.approx(alone.item() / 5)
    assert (logits.grad[0] == 0).all()


LENGTHS = torch.tensor([7, 5, 3])
TARGETS = {"targets": torch.tensor([[0, 1], [2, 0], [3, 3]]), "target_lengths": torch.tensor([2, 1, 1])}


@pytest.mark.parametrize("kd_scale", [0.25, 0.9])
def test_the_criterion_is_the_weighted_sum(kd_scale):
    student, teacher, _ = random_batch()
    criterion = DistillationLoss(kd_scale, selection=Selection("symmetric", {"n": 1}))
    losses = criterion(student, LENGTHS, blank=4, teacher_logits=teacher, teacher_lengths=LENGTHS + 1, **TARGETS)
    mask = criterion.selection(teacher, LENGTHS, blank=4)
    kd = kd_loss(student, teacher, mask, temperature=2.0, normalisation="selected_frames")
    ctc = ctc_loss(student, LENGTHS, TARGETS["targets"], TARGETS["target_lengths"], blank=4)
    assert float(criterion.weighted_sum(losses)) == pytest.approx(kd_scale * float(kd) + (1 - kd_scale) * float(ctc))
    assert (int(losses["kd"].count), int(losses["ctc"].count)) == (int(mask.sum()), 4)


def test_pure_distillation_needs_no_targets_and_pure_ctc_no_teacher():
    student, teacher, _ = random_batch()
    pure_kd = DistillationLoss(1.0)(student, LENGTHS, blank=4, teacher_logits=teacher, teacher_lengths=LENGTHS)
    assert list(pure_kd) == ["kd"]
    assert list(DistillationLoss(0.0)(student, LENGTHS, blank=4, **TARGETS)) == ["ctc"]


def test_frames_that_the_teacher_lacks_are_not_distilled():
    student, teacher, _ = random_batch()
    criterion = DistillationLoss(1.0)
    short = criterion(student, LENGTHS, blank=4, teacher_logits=teacher[:, :6], teacher_lengths=LENGTHS - 1)
    cut = criterion(student[:, :6], LENGTHS - 1, blank=4, teacher_logits=teacher[:, :6], teacher_lengths=LENGTHS - 1)
    assert float(short["kd"].value) == pytest.approx(float(cut["kd"].value))


def test_a_missing_teacher_or_transcript_is_named():
    student, teacher, _ = random_batch()
    with pytest.raises(ValueError, match="teacher_logits and teacher_lengths"):
        DistillationLoss(1.0)(student, LENGTHS, blank=4, teacher_logits=teacher)
    with pytest.raises(ValueError, match="targets and target_lengths"):
        DistillationLoss(0.0)(student, LENGTHS, blank=4)
