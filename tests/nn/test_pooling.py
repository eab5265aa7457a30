"""Pooling of frames, against the sum over all paths that they may have."""

import itertools

import pytest
import torch

from ctc_kd.nn.pooling import Pooling

BLANK = 2


def said(path):
    return [label for label, _ in itertools.groupby(path) if label != BLANK]


def by_all_paths(posteriors):
    """``[F, C]`` to ``[C]``: the share of paths that say one label, or nothing, of those that say no more than one."""
    found = torch.zeros(posteriors.shape[1], dtype=torch.double)
    for path in itertools.product(range(posteriors.shape[1]), repeat=len(posteriors)):
        labels = said(path)
        if len(labels) <= 1:
            found[labels[0] if labels else BLANK] += posteriors[range(len(path)), path].prod()
    return found / found.sum()


@pytest.mark.parametrize(("factor", "offset"), [(2, 0), (2, 1), (3, 2), (4, 0)])
def test_a_path_through_a_group_says_one_label_or_none(factor, offset):
    logits = 3 * torch.randn(2, 4 * factor, 4, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    pooling = Pooling(factor, offset, 0.04, 0.02)
    found = pooling.path(logits, blank=BLANK).exp()
    groups = logits[:, offset:].softmax(dim=-1)
    num_groups = (4 * factor - offset) // factor
    assert found.shape == (2, num_groups, 4)
    assert pooling.lengths(torch.tensor([4 * factor, offset + factor, 0])).tolist() == [num_groups, 1, 0]
    for row, expected in zip(found, groups, strict=True):
        for group in range(num_groups):
            frames = expected[group * factor : (group + 1) * factor]
            torch.testing.assert_close(row[group], by_all_paths(frames))


def test_a_label_of_one_frame_survives_beside_blank():
    """The mean of probabilities would say blank."""
    posteriors = torch.tensor([[0.9, 0.05, 0.05], [0.005, 0.005, 0.99]])
    pooling = Pooling(2, 0, 0.04, 0.02)
    assert pooling.path(posteriors.log()[None], blank=BLANK)[0, 0].exp()[0] > 0.88
    assert pooling.mean_probability(posteriors.log()[None])[0, 0].argmax() == BLANK


def test_impossible_labels_stay_finite():
    logits = torch.tensor([[[0.0, -1e4, -1e4], [-1e4, 0.0, -1e4]]])  # two labels in one group for certain
    assert Pooling(2, 0, 0.04, 0.02).path(logits, blank=BLANK).isfinite().all()
