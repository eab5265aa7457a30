"""Losses of two heads against plain definitions, and where their gradients go."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.nn.losses import ctc_loss
from ctc_kd.nn.selection import Selection
from ctc_kd.nn.self_distillation import IntermediateCtcLoss, SelfDistillationLoss
from ctc_kd.training.build import build_model, with_two_heads

BLANK = 4
LENGTHS = torch.tensor([7, 5, 6])
TARGETS = {"targets": torch.tensor([[0, 1], [2, 0], [3, 1]]), "target_lengths": torch.tensor([2, 1, 2])}


def two_heads(seed=0):
    return tuple(2 * torch.randn(2, 3, 7, 5, generator=torch.Generator().manual_seed(seed)))


def losses(criterion, heads, lengths=LENGTHS):
    return criterion(heads, lengths, blank=BLANK, **TARGETS)


def plain_skd(criterion, heads, lengths):
    """Frame by frame; the teacher of a frame is named by utterance and time."""
    last, student = (head.double() for head in heads)
    mask = criterion.selection(heads[0], lengths, blank=BLANK)
    total, count = 0.0, 0
    for i, length in enumerate(lengths.tolist()):
        other = (i - 1) % len(lengths) if criterion.other_utterance else i
        for t in range(length):
            time = t - criterion.teacher_shift
            if 0 <= time < lengths[other] and mask[other, time]:
                p = (last[other, time] / criterion.temperature).softmax(0)
                q = (student[i, t] / criterion.temperature).softmax(0)
                total, count = total + float((p * (p / q).log()).sum()), count + 1
    return criterion.temperature**2 * total / max(count, 1), count


VARIANTS = [
    {},
    {"temperature": 2.0},
    {"selection": Selection("eliminate")},
    {"selection": Selection("symmetric", {"n": 1})},
    {"selection": Selection("threshold", {"alpha": 0.9})},
    *({"teacher_shift": shift} for shift in (-2, -1, 1, 2)),
    {"other_utterance": True},
    {"other_utterance": True, "teacher_shift": 1, "selection": Selection("symmetric", {"n": 1})},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@given(seed=st.integers(0, 1000))
@settings(max_examples=5)
def test_distillation_equals_the_plain_definition(variant, seed):
    criterion, heads = SelfDistillationLoss(alpha=0.3, **variant), two_heads(seed)
    expected, count = plain_skd(criterion, heads, LENGTHS)
    value, found = losses(criterion, heads)["skd"]
    assert int(found) == count
    assert float(value) == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_the_criterion_is_the_papers_sum():
    criterion, heads = SelfDistillationLoss(alpha=0.3), two_heads()
    found = losses(criterion, heads)
    ctc, ictc = (ctc_loss(head, LENGTHS, blank=BLANK, **TARGETS) for head in heads)
    assert float(found["ctc"].value) == float(ctc)
    assert float(found["ictc"].value) == float(ictc)
    expected = 0.7 * float(ctc) + 0.3 * (float(ictc) + float(found["skd"].value))
    assert float(criterion.weighted_sum(found)) == pytest.approx(expected)
    without = losses(IntermediateCtcLoss(alpha=0.3), heads)
    assert float(IntermediateCtcLoss(alpha=0.3).weighted_sum(without)) == pytest.approx(
        0.7 * float(ctc) + 0.3 * float(ictc)
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_padding_changes_nothing(variant):
    criterion, heads = SelfDistillationLoss(alpha=0.3, **variant), two_heads()
    garbage = tuple(head.clone() for head in heads)
    for head in garbage:
        for row, length in zip(head, LENGTHS, strict=True):
            row[length:] = 1e4
    longer = tuple(torch.cat([head, torch.full((3, 4, 5), -1e4)], dim=1) for head in garbage)
    expected = losses(criterion, heads)
    for others in (garbage, longer):
        for name, (value, count) in losses(criterion, others).items():
            assert float(value) == pytest.approx(float(expected[name].value), rel=1e-6)
            assert int(count) == int(expected[name].count)


def test_an_utterance_alone_has_no_other_to_learn_from():
    heads = tuple(head[:1] for head in two_heads())
    found = SelfDistillationLoss(alpha=0.5, other_utterance=True)(
        heads, LENGTHS[:1], blank=BLANK, **{name: value[:1] for name, value in TARGETS.items()}
    )
    assert [float(found["skd"].value), int(found["skd"].count)] == [0.0, 0]


@pytest.mark.parametrize("rule", ["all", "eliminate"])
def test_no_gradient_of_distillation_reaches_the_teacher(rule):
    torch.manual_seed(0)
    model = build_model(
        with_two_heads(
            {
                "class": "StudentCtc",
                "num_labels_with_blank": 5,
                "frontend": {"channels": [2, 2, 2, 2]},
                "conformer": {"num_layers": 2, "dim": 16, "num_heads": 2, "feed_forward_dim": 16, "kernel_size": 3},
            },
            1,
        )
    )
    criterion = SelfDistillationLoss(alpha=0.5, selection=Selection(rule))
    lengths = torch.full((3,), 6000)
    heads, frames = criterion.outputs(model, 0.1 * torch.randn(3, 6000), lengths)
    losses(criterion, heads, frames)["skd"].value.backward()
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert all(parameter.grad.any() for name, parameter in model.named_parameters() if name in reached)
    assert not any(name.startswith(("output.", "conformer.blocks.1.")) for name in reached)
    below = ("frontend.", "conformer.blocks.0.", "intermediate_output.")
    assert reached == {name for name, _ in model.named_parameters() if name.startswith(below)}


def test_a_weight_is_from_0_to_1():
    with pytest.raises(ValueError, match="alpha 1.5, expected a weight from 0 to 1"):
        SelfDistillationLoss(alpha=1.5)
