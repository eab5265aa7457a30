"""The demo's models compute in bfloat16 what they compute in fp32, up to rounding, on the processor of this machine."""

import pytest
import torch
from torch import nn

from ctc_kd.experiments.demo import DEMO
from ctc_kd.nn.narrow_convolutions import keep_in_fp32
from ctc_kd.training.build import build_model

TEACHER = {**DEMO.teacher, "encoder": DEMO.teacher["encoder"].get_path()}


def relative_change(rounded, exact):
    return float((rounded - exact).norm() / exact.norm())


def logits_and_gradients(model, audio, dtype):
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        logits, _ = model(audio, torch.tensor([16_000, 12_000]))
    log_posteriors = logits.float().log_softmax(dim=-1)
    model.zero_grad()
    log_posteriors[..., ::7].sum().backward()
    gradients = [parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]
    return log_posteriors.detach(), torch.cat(gradients)


@pytest.mark.parametrize("model", [TEACHER, DEMO.student], ids=["teacher", "student"])
def test_rounds(model):
    torch.manual_seed(0)
    model, audio = build_model(model).eval(), 0.1 * torch.randn(2, 16_000)
    exact, rounded = (logits_and_gradients(model, audio, dtype) for dtype in (torch.float32, torch.bfloat16))
    for one, other in zip(rounded, exact, strict=True):
        assert 0 < relative_change(one, other) < 0.03


def test_narrow_convolutions_stay_in_fp32():
    widths = [(24, 2), (32, 2), (8, 8)]  # 12 channels in a group, 16, depthwise
    model = nn.ModuleList([nn.Conv1d(width, width, 16, groups=groups) for width, groups in widths])
    keep_in_fp32(model)
    frames = torch.randn(2, 32, 20)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = [layer(frames[:, : layer.in_channels]) for layer in model]
    assert [output.dtype for output in outputs] == [torch.float32, torch.bfloat16, torch.bfloat16]
