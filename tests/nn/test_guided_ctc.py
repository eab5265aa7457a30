"""Guide-CTC against a plain definition."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.nn.guided_ctc import GuidedCtcLoss

BLANK, LENGTHS = 4, torch.tensor([7, 5, 6])
TARGETS = {"targets": torch.tensor([[0, 1], [2, 0], [3, 1]]), "target_lengths": torch.tensor([2, 1, 2])}


def logits(seed=0):
    return 2 * torch.randn(2, 3, 7, 5, generator=torch.Generator().manual_seed(seed))


def guide(student, teacher, **settings_):
    criterion = GuidedCtcLoss(1.0, **settings_)
    found = criterion(student, LENGTHS, blank=BLANK, teacher_logits=teacher, teacher_lengths=LENGTHS, **TARGETS)
    assert list(found) == ["guide"]
    return found["guide"]


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_guide_equals_the_plain_definition(seed):
    student, teacher = logits(seed)
    missing = []
    for i, length in enumerate(LENGTHS.tolist()):
        for t in range(length):
            label = int(teacher[i, t].argmax())
            if label != BLANK:
                missing.append(1 - float(student[i, t].softmax(0)[label]))
    value, count = guide(student, teacher)
    assert int(count) == len(missing)
    assert float(value) == pytest.approx(sum(missing) / max(len(missing), 1), rel=1e-5, abs=1e-7)
    assert float(guide(student, teacher, normalisation="batch_times_labels").value) == pytest.approx(sum(missing) / 15)


def test_where_blank_is_only_as_likely_as_a_label_the_label_is_meant():
    teacher, one = torch.tensor([[[2.0, 0.0, 2.0]]]), torch.tensor([1])
    student = torch.tensor([[[0.0, 0.0, 9.0]]])
    found = GuidedCtcLoss(1.0)(student, one, blank=0, teacher_logits=teacher, teacher_lengths=one)["guide"]
    assert int(found.count) == 1 and float(found.value) < 0.01


def test_only_spikes_have_a_gradient_and_garbage_elsewhere_does_no_harm():
    student, teacher = logits()
    expected = guide(student, teacher).value
    spikes = (teacher.argmax(dim=-1) != BLANK) & (torch.arange(7) < LENGTHS[:, None])
    student = student.masked_fill(~spikes[..., None], float("nan")).requires_grad_()
    value = guide(student, teacher).value
    value.backward()
    assert float(value.detach()) == float(expected)
    assert torch.equal(student.grad.abs().sum(dim=-1) > 0, spikes)


def test_the_gradient_is_that_of_the_probability_not_of_its_logarithm():
    """At p near 0 the paper's form has almost no gradient."""
    teacher, student = torch.full((1, 1, 5), 0.0), torch.zeros(1, 1, 5)
    teacher[..., 0], student[..., 0] = 9.0, -12.0
    student.requires_grad_()
    one = torch.tensor([1])
    criterion = GuidedCtcLoss(1.0)
    criterion(student, one, blank=BLANK, teacher_logits=teacher, teacher_lengths=one)["guide"].value.backward()
    p = float(student.detach().softmax(-1)[0, 0, 0])
    assert float(student.grad[0, 0, 0]) == pytest.approx(-p * (1 - p), rel=1e-3)


def test_a_weight_is_shared_with_ctc():
    assert GuidedCtcLoss(0.25).scales == {"guide": 0.25, "ctc": 0.75}
    with pytest.raises(ValueError, match="kd_scale 2, expected the weight"):
        GuidedCtcLoss(2)
