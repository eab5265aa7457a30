"""The student: sizes, plain definitions of its parts, and independence of padding."""

import json
import math
from dataclasses import asdict, replace

import pytest
import torch
import torch.nn.functional as F

from ctc_kd.frames import min_samples
from ctc_kd.nn.config import ConformerConfig, StudentConfig, VggConfig
from ctc_kd.nn.conformer import (
    Conformer,
    ConformerBlock,
    Convolution,
    RelativeSelfAttention,
    relative_positions,
    select_distances,
    sum_by_key,
)
from ctc_kd.nn.distillation import DistillationLoss
from ctc_kd.nn.frontend import VggFrontend, pooled_relu
from ctc_kd.nn.student import StudentCtc

TINY = StudentConfig(
    11, frontend=VggConfig((4, 6, 6, 4)), conformer=ConformerConfig(2, 24, 2, 48, kernel_size=7, dropout=0.1)
)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts_of_the_paper():
    with torch.device("meta"):
        assert num_parameters(ConformerBlock(ConformerConfig())) == 3_563_136
        assert num_parameters(VggFrontend(VggConfig(), 80, 384)) == 1_057_632
    assert num_parameters(StudentCtc(StudentConfig(79))) == 43_845_679
    assert num_parameters(StudentCtc(StudentConfig(80))) == 43_846_064


@pytest.mark.parametrize("cfg", [TINY, StudentConfig(79, spec_augment=None)])
def test_config_survives_json(cfg):
    assert StudentConfig.from_dict(json.loads(json.dumps(asdict(cfg)))) == cfg


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"conformer": {"dim": 9, "num_heads": 3}}, "dim 9 is odd: expected an even number"),
        ({"conformer": {"dropout": 1.0}}, "dropout 1.0: expected 0 or more, below 1"),
        ({"frontend": {"channels": [2, 2, 2]}}, "expected four, one for each convolution"),
        ({"log_mel": {"sample_rate_hz": 8000}}, "sample_rate_hz 8000: all audio has 16000"),
    ],
)
def test_what_cannot_be_computed_is_refused_when_it_is_declared(wrong, fault):
    with pytest.raises(ValueError, match=fault):
        StudentConfig.from_dict({"num_labels_with_blank": 5, **wrong})


def test_config_defaults_for_left_out_fields():
    cfg = StudentConfig.from_dict({"num_labels_with_blank": 5, "conformer": {"dim": 96}})
    assert cfg == StudentConfig(5, conformer=ConformerConfig(dim=96))


def plain_attention(module, x):
    """One utterance ``[T, D]``, one head and one pair of frames at a time."""
    frames, dim = x.shape
    heads, d = module.key_bias.shape
    query, key, value = module.query_key_value(module.norm(x)).chunk(3, dim=-1)
    outputs = torch.zeros(frames, dim)
    for h in range(heads):
        own = slice(h * d, (h + 1) * d)
        scores = torch.zeros(frames, frames)
        for i in range(frames):
            for j in range(frames):
                angles = [(i - j) * 10000 ** (-2 * k / dim) for k in range(dim // 2)]
                embedding = torch.tensor([f(angle) for angle in angles for f in (math.sin, math.cos)])
                position = (module.position.weight @ embedding)[own]
                content = (query[i, own] + module.key_bias[h]) @ key[j, own]
                scores[i, j] = (content + (query[i, own] + module.position_bias[h]) @ position) / math.sqrt(d)
        outputs[:, own] = scores.softmax(dim=-1) @ value[:, own]
    return module.output(outputs)


@pytest.mark.parametrize("training", [False, True])
@torch.no_grad()
def test_relative_attention_equals_the_plain_definition(training):
    cfg = ConformerConfig(1, 24, 3, 8, dropout=0.0)
    module = RelativeSelfAttention(cfg).train(training)
    x, lengths = torch.randn(2, 9, 24), [9, 5]
    valid = torch.arange(9) < torch.tensor(lengths)[:, None]
    out = module(x, valid, relative_positions(9, 24, x.device))
    for row, utterance, length in zip(out, x, lengths, strict=True):
        torch.testing.assert_close(row[:length], plain_attention(module, utterance[:length]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_select_distances(frames):
    scores = torch.randn(2, 3, frames, 2 * frames, dtype=torch.float64, requires_grad=True)
    selected = select_distances(scores)
    for i in range(frames):
        for j in range(frames):
            assert torch.equal(selected[..., i, j], scores[..., i, frames - 1 - (i - j)])
    torch.autograd.gradcheck(select_distances, scores)
    hidden = torch.randn(2, 1, 1, frames, dtype=torch.float64)
    assert torch.equal(sum_by_key(scores, hidden), selected + hidden)
    torch.autograd.gradcheck(sum_by_key, (scores, hidden))


def test_depthwise_convolution_equals_torch():
    cfg = ConformerConfig(1, 6, 1, 8, kernel_size=5, dropout=0.0)
    module = Convolution(cfg)
    x, lengths = torch.randn(2, 12, 6), [12, 7]
    valid = torch.arange(12) < torch.tensor(lengths)[:, None]
    out = module(x, valid)
    for row, utterance, length in zip(out, x, lengths, strict=True):
        y = F.glu(module.pointwise_in(module.norm_in(utterance[:length])), dim=-1)
        y = F.conv1d(y.T[None], module.depthwise.weight, module.depthwise.bias, padding=2, groups=6)[0].T
        y = module.pointwise_out(F.silu(module.norm(y)))
        torch.testing.assert_close(row[:length], y, atol=1e-5, rtol=1e-5)


def test_frontend_equals_torch():
    """In the published order: ReLU, then pooling."""
    module = VggFrontend(VggConfig((2, 3, 4, 2)), 10, 6)
    x, lengths = torch.randn(3, 13, 10), [13, 10, 7]
    out, out_lengths = module(x, torch.tensor(lengths))
    assert out_lengths.tolist() == [3, 2, 1]
    for row, utterance, length in zip(out, x, lengths, strict=True):
        y = utterance[None, None, :length]
        for first, second in (module.convs[:2], module.convs[2:]):
            y = F.max_pool2d(F.relu(second(first(y))), (2, 1))
        y = module.linear(y[0].permute(1, 2, 0).flatten(1))
        torch.testing.assert_close(row[: len(y)], y, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("num_frames", [8, 11])
def test_pooling_equals_torch_to_the_bit(size, num_frames):
    x = torch.randn(2, 3, num_frames, 5).to(memory_format=torch.channels_last)
    ours, expected = (x.clone(memory_format=torch.preserve_format).requires_grad_() for _ in range(2))
    y = F.relu(F.max_pool2d(expected, (size, 1)))
    gradient = torch.randn_like(y)
    y.backward(gradient)
    pooled = pooled_relu(ours, size)
    pooled.backward(gradient)
    assert torch.equal(pooled, y)
    assert torch.equal(ours.grad, expected.grad)
    assert torch.equal(pooled_relu(x, size), y)  # as in recognition, without gradients


def test_an_utterance_gives_the_same_in_any_batch():
    model = StudentCtc(TINY).eval()
    lengths = [9000, 12000, 5555, 3333]
    audio = torch.randn(4, 12000)
    logits, frames = model(audio, torch.tensor(lengths))
    assert logits.shape == (4, int(frames.max()), 11)
    for i, length in enumerate(lengths):
        alone, alone_frames = model(audio[i : i + 1, :length], torch.tensor([length]))
        assert alone_frames[0] == frames[i] == alone.shape[1]
        torch.testing.assert_close(logits[i, : frames[i]], alone[0], atol=1e-5, rtol=1e-5)


def test_an_utterance_too_short_for_a_frame_can_be_alone():
    """Corpora leave out what makes no frame of the usual student; one of another subsampling may need more."""
    cfg = replace(TINY, frontend=VggConfig(TINY.frontend.channels, subsampling=8))
    model, samples = StudentCtc(cfg), torch.tensor([min_samples(4)])
    logits, frames = model(torch.randn(1, int(samples)), samples)
    losses = DistillationLoss(kd_scale=0.5)(
        logits,
        frames,
        blank=10,
        teacher_logits=torch.randn(1, 1, 11),
        teacher_lengths=torch.tensor([1]),
        targets=torch.tensor([[3]]),
        target_lengths=torch.tensor([1]),
    )
    sum(loss.value for loss in losses.values()).backward()
    assert frames.tolist() == [0] and [loss.value.item() for loss in losses.values()] == [0, 0]
    assert all(not parameter.grad.any() for parameter in model.parameters())


def test_gradients_do_not_come_from_padding():
    model = StudentCtc(TINY).eval()
    audio, lengths = torch.randn(2, 9000), torch.tensor([9000, 5000])

    def gradients(*rows):
        model.zero_grad()
        for waveforms, samples in rows:
            logits, frames = model(waveforms, samples)
            valid = torch.arange(logits.shape[1]) < frames[:, None]
            (logits.square().sum(-1) * valid).sum().backward()
        return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    alone = gradients((audio[:1], lengths[:1]), (audio[1:, :5000], lengths[1:]))
    torch.testing.assert_close(gradients((audio, lengths)), alone, atol=1e-2, rtol=1e-3)


def test_a_conformer_trains_in_bfloat16():
    model = Conformer(TINY.conformer)
    with torch.autocast("cpu", torch.bfloat16):
        out = model(torch.randn(2, 8, 24), torch.tensor([8, 3]))
    out.float().square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_spec_augment_only_in_training():
    cfg = StudentConfig(11, frontend=TINY.frontend, conformer=ConformerConfig(1, 24, 2, 48, dropout=0.0))
    model = StudentCtc(cfg)
    audio, lengths = torch.randn(1, 16000), torch.tensor([16000])
    assert not torch.equal(model(audio, lengths)[0], model(audio, lengths)[0])
    model.eval()
    assert torch.equal(model(audio, lengths)[0], model(audio, lengths)[0])
