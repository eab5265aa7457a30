"""SpecAugment: random blocks of time and frequency set to 0 (Park et al. 2019), with the paper's counts."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import SpecAugmentConfig
from .masking import random_subset, spans, valid_frames


def _random_blocks(candidates: Tensor, min_count: int, max_count: Tensor, max_width: int) -> Tensor:
    """Up to ``max_count`` blocks (``[B]``), with distinct starts among the candidates ``[B, T]``.

    There are at least ``min_count``, or ``max_count`` if that is less.
    """
    device = candidates.device
    draw = torch.rand(len(candidates), device=device)
    least = max_count.clamp(max=min_count)
    counts = least + (draw * (max_count - least + 1)).long()
    widths = torch.randint(1, max_width + 1, candidates.shape, device=device)
    return spans(random_subset(candidates, counts), widths)


def spec_augment(features: Tensor, lengths: Tensor, cfg: SpecAugmentConfig) -> Tensor:
    """Masks random blocks. Time masks follow each utterance's own length, not the padded one, in number and place.

    :param features: ``[B, T, F]``
    :param lengths: ``[B]`` frames
    :return: ``[B, T, F]``
    """
    batch, num_frames, num_bins = features.shape
    max_time_masks = (lengths // cfg.frames_per_time_mask).clamp(min=cfg.min_time_masks)
    valid = valid_frames(lengths, num_frames)
    time = _random_blocks(valid, cfg.min_time_masks, max_time_masks, cfg.max_time_width)
    bins = valid.new_ones(batch, num_bins)
    max_frequency_masks = torch.full_like(lengths, cfg.max_frequency_masks)
    frequency = _random_blocks(bins, cfg.min_frequency_masks, max_frequency_masks, cfg.max_frequency_width)
    return features.masked_fill(time[:, :, None] | frequency[:, None, :], 0.0)
