"""Waveform preparation and log-mel features against plain definitions, and SpecAugment's statistics."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.nn.config import LogMelConfig, SpecAugmentConfig
from ctc_kd.nn.features import LogMel, prepare_waveform
from ctc_kd.nn.masking import random_subset, spans, valid_frames
from ctc_kd.nn.specaugment import spec_augment


def test_prepare_waveform_equals_the_plain_definition():
    audio, lengths = torch.randn(3, 50), torch.tensor([50, 20, 1])
    prepared = prepare_waveform(audio, lengths)
    for row, signal, length in zip(prepared, audio, lengths.tolist(), strict=True):
        plain = [signal[0]] + [signal[i] - 0.97 * signal[i - 1] for i in range(1, length)]
        plain = torch.stack(plain) / max(abs(y) for y in plain)
        torch.testing.assert_close(row[:length], plain)
        assert (row[length:] == 0).all()


@given(level=st.floats(1e-4, 30))
def test_prepare_waveform_does_not_depend_on_the_level(level):
    """So that audio as recorded, and audio that was scaled to a peak of 1 before, is the same to the student."""
    audio, lengths = 0.1 * torch.randn(2, 800), torch.tensor([800, 300])
    torch.testing.assert_close(prepare_waveform(level * audio, lengths), prepare_waveform(audio, lengths))


def test_prepare_waveform_leaves_silence():
    assert (prepare_waveform(torch.zeros(1, 9), torch.tensor([9])) == 0).all()


def mel(hz):
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def hertz(mel):
    return mel * 200 / 3 if mel < 15 else 1000 * math.exp(math.log(6.4) * (mel - 15) / 27)


def plain_log_mel(signal):
    """One frame after the other, filters with area 2 / bandwidth (Slaney's normalisation)."""
    edges = [hertz(mel(60) + i * (mel(7600) - mel(60)) / 81) for i in range(82)]
    bins = torch.arange(201, dtype=torch.float64) * 40  # Hz
    filters = []
    for left, centre, right in zip(edges, edges[1:], edges[2:], strict=False):
        triangle = torch.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)).clamp(min=0)
        filters.append(triangle * 2 / (right - left))
    window = 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(400, dtype=torch.float64) / 400)
    frames = []
    for start in range(0, len(signal) - 400 + 1, 160):
        power = torch.fft.fft(signal[start : start + 400].double() * window).abs()[:201] ** 2
        frames.append(torch.stack([(power * f).sum() for f in filters]).clamp(min=1e-10).log10())
    return torch.stack(frames)


def test_log_mel_equals_the_plain_definition():
    audio, lengths = 0.1 * torch.randn(2, 2000), torch.tensor([2000, 1040])
    features, num_frames = LogMel(LogMelConfig())(audio, lengths)
    assert features.shape == (2, 11, 80)
    assert num_frames.tolist() == [11, 5]
    torch.testing.assert_close(features[0].double(), plain_log_mel(audio[0]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(features[1, :5].double(), plain_log_mel(audio[1, :1040]), atol=1e-4, rtol=1e-4)
    assert (features[1, 5:] == 0).all()


def test_log_mel_lengths():
    lengths = LogMel(LogMelConfig()).output_lengths(torch.tensor([0, 399, 400, 559, 560, 16000]))
    assert lengths.tolist() == [0, 0, 1, 1, 2, 98]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), min_size=1, max_size=30))
def test_spans_equal_the_plain_definition(frames):
    starts, widths = (torch.tensor([column]) for column in zip(*frames, strict=True))
    expected = [any(s and u <= t < u + w for u, (s, w) in enumerate(frames)) for t in range(len(frames))]
    assert spans(starts, widths).tolist() == [expected]


@given(candidates=st.lists(st.booleans(), min_size=1, max_size=30), count=st.integers(0, 40))
def test_random_subset_has_the_right_size(candidates, count):
    subset = random_subset(torch.tensor([candidates]), torch.tensor([count]))
    assert int(subset.sum()) == min(count, sum(candidates))
    assert not (subset & ~torch.tensor([candidates])).any()


def masked_rows_and_columns(lengths, num_frames, cfg, seed=0):
    """Masked frames ``[B, T]`` and bins ``[B, F]`` of features without zeros."""
    torch.manual_seed(seed)
    zero = spec_augment(torch.ones(len(lengths), num_frames, 80), torch.tensor(lengths), cfg) == 0
    return zero.all(dim=2), zero.all(dim=1)


def test_spec_augment_masks_whole_blocks_and_leaves_padding():
    lengths = [200, 120, 60] * 10
    torch.manual_seed(0)
    features = torch.randn(30, 200, 80) + 10
    augmented = spec_augment(features, torch.tensor(lengths), SpecAugmentConfig())
    time, frequency = (augmented == 0).all(dim=2), (augmented == 0).all(dim=1)
    assert torch.equal(augmented == 0, time[:, :, None] | frequency[:, None, :])
    assert torch.equal(augmented[augmented != 0], features[augmented != 0])
    num_time = time.float().sum(dim=1)
    assert (num_time >= 2).all()  # at least two masks of at least one frame, with distinct starts
    assert (frequency.sum(dim=1) <= 5 * 16).all()


def test_spec_augment_without_frequency_masks():
    _, frequency = masked_rows_and_columns([200, 120], 200, SpecAugmentConfig(max_frequency_masks=0))
    assert not frequency.any()


def test_spec_augment_counts_follow_the_own_length_not_the_padded_one():
    """With masks of one frame the number of masked frames is the number of masks: uniform in [2, max(2, T // 25)]."""
    cfg = SpecAugmentConfig(max_time_width=1, max_frequency_width=1)
    time, frequency = masked_rows_and_columns([250] * 1000 + [60] * 1000, 300, cfg)
    counts = time.sum(dim=1)
    for length, rows, highest in ((250, slice(0, 1000), 10), (60, slice(1000, 2000), 2)):
        assert not time[rows, length:].any()
        share = torch.bincount(counts[rows], minlength=11)[2 : highest + 1] / 1000
        torch.testing.assert_close(share, torch.full_like(share, 1 / (highest - 1)), atol=0.045, rtol=0)
        per_fifth = time[rows, :length].float().mean(dim=0).unflatten(0, (5, -1)).sum(dim=1)
        torch.testing.assert_close(per_fifth / per_fifth.mean(), torch.ones(5), atol=0.15, rtol=0)
    share = torch.bincount(frequency.sum(dim=1), minlength=6)[2:] / 2000
    torch.testing.assert_close(share, torch.full((4,), 0.25), atol=0.04, rtol=0)


@pytest.mark.parametrize("width", [8, 16])
def test_spec_augment_widths_are_uniform(width):
    """A single block, far from its neighbours: its width is uniform in [1, F]."""
    cfg = SpecAugmentConfig(1, 10**6, 20, 1, 1, width)
    time, frequency = masked_rows_and_columns([300] * 2000, 300, cfg)
    at_edge = frequency[:, -1]
    share = torch.bincount(frequency[~at_edge].sum(dim=1))[1:] / (~at_edge).sum()
    assert len(share) == width
    torch.testing.assert_close(share, torch.full_like(share, 1 / width), atol=0.04, rtol=0)
    share = torch.bincount(time[~time[:, -1]].sum(dim=1))[1:] / 2000
    assert len(share) == 20
    torch.testing.assert_close(share, torch.full_like(share, 1 / 20), atol=0.025, rtol=0)


def test_spec_augment_repeats_with_the_same_seed():
    draws = [masked_rows_and_columns([90, 40], 90, SpecAugmentConfig(), seed)[0] for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_valid_frames():
    assert valid_frames(torch.tensor([2, 0]), 3).tolist() == [[True, True, False], [False] * 3]


def test_normalised_features_are_standardised_over_each_utterance_without_its_padding():
    log_mel = LogMel(LogMelConfig(normalise=True))
    lengths = torch.tensor([16000, 9000])
    audio = torch.randn(2, 16000) * torch.linspace(0.1, 1.0, 16000)
    features, frames = log_mel(audio, lengths)
    for index, count in enumerate(frames.tolist()):
        valid = features[index, :count]
        torch.testing.assert_close(valid.mean(dim=0), torch.zeros(80), atol=1e-4, rtol=0)
        torch.testing.assert_close(valid.std(dim=0, correction=0), torch.ones(80), atol=1e-3, rtol=0)
        assert not features[index, count:].any()
    alone, _ = log_mel(audio[1:, :9000], lengths[1:])
    torch.testing.assert_close(features[1:, : frames[1]], alone, atol=1e-4, rtol=1e-4)


def test_normalised_silence_is_finite():
    features, _ = LogMel(LogMelConfig(normalise=True))(torch.zeros(1, 4000), torch.tensor([4000]))
    assert not features.any()
