"""Losses over tokens against plain definitions."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.nn.token_losses import IGNORED, TokenLoss


def plain(student, teacher, targets, temperature):
    """Sums over the tokens that are written, position by position."""
    ce = kl = number = 0.0
    for row, theirs, tokens in zip(student, teacher, targets, strict=True):
        for logits, other, token in zip(row, theirs, tokens.tolist(), strict=True):
            if token != IGNORED:
                number += 1
                ce -= float(logits.log_softmax(0)[token])
                q, p = (one.div(temperature).softmax(0) for one in (logits, other))
                kl += temperature**2 * sum(float(b * (b / a).log()) for a, b in zip(q, p, strict=True))
    return ce / max(number, 1), kl / max(number, 1)


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.sampled_from([1.0, 2.0]))
def test_both_are_means_over_the_tokens_that_are_written(seed, temperature):
    generator = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 2, 3, 5, generator=generator)
    targets = torch.randint(0, 5, (2, 3), generator=generator)
    targets[torch.rand(2, 3, generator=generator) < 0.4] = IGNORED
    loss = TokenLoss(temperature=temperature)
    found = loss(student, teacher, targets)
    expected = plain(student, teacher, targets, temperature)
    assert [float(found[name].value) for name in ("ce", "kl")] == pytest.approx(expected, abs=1e-5)
    assert float(loss.weighted_sum(found)) == pytest.approx(0.8 * expected[0] + expected[1], abs=1e-5)
    assert int(found["ce"].count) == int((targets != IGNORED).sum())


def test_padding_may_hold_anything_and_gets_no_gradient():
    student = torch.zeros(1, 2, 4)
    student[0, 1] = math.nan
    student.requires_grad_()
    TokenLoss(kl_scale=0)(student, None, torch.tensor([[1, IGNORED]]))["ce"].value.backward()
    assert (student.grad[0, 1] == 0).all() and (student.grad[0, 0] != 0).all()


def test_processes_share_the_number_of_tokens():
    logits, targets = torch.zeros(1, 2, 4), torch.tensor([[0, 1]])
    value = TokenLoss()(logits, logits, targets, over_processes=lambda count: count * 3)["ce"].value
    assert float(value) == pytest.approx(math.log(4) / 3)


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"ce_scale": -1}, {"ce_scale": 0, "kl_scale": 0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="expected|temperature"):
        TokenLoss(**wrong)
