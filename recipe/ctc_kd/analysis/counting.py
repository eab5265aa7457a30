"""Frames kept by selection rules, counted in padded batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ctc_kd.analysis.spikes import SpikeStatistics
from ctc_kd.nn.selection import Selection


def batches(utterances: Iterable[tuple[str, np.ndarray]], batch_frames: int) -> Iterator[list[Tensor]]:
    """Groups neighbouring utterances ``[T, C]`` (float32) so that at most ``batch_frames`` frames remain with padding.

    An utterance longer than that is a batch of its own; one without frames is left out.
    """
    batch, longest = [], 0
    for _, array in utterances:
        if not len(array):
            continue
        longest = max(longest, len(array))
        if batch and longest * (len(batch) + 1) > batch_frames:
            yield batch
            batch, longest = [], len(array)
        batch.append(torch.from_numpy(array.astype("float32")))
    if batch:
        yield batch


def count_frames(
    utterances: Iterable[tuple[str, np.ndarray]],
    selections: list[dict],
    *,
    blank: int,
    frame_shift_s: float,
    batch_frames: int,
    log_prior: Tensor | None = None,
) -> dict:
    """The content of ``CoverageJob.out_coverage``.

    :param utterances: pairs of utterance id and logits ``[T, C]``
    :param log_prior: ``[C]``, for the rule ``"prior"``
    """
    rules = [Selection(**selection) for selection in selections]
    kept = [0] * len(rules)
    utterance_count, entropy, spikes = 0, 0.0, SpikeStatistics()
    for batch in batches(utterances, batch_frames):
        lengths = torch.tensor([len(logits) for logits in batch])
        padded = pad_sequence(batch, batch_first=True)
        for index, rule in enumerate(rules):
            kept[index] += int(rule(padded, lengths, blank=blank, **_tensors(rule, log_prior)).sum())
        for logits in batch:
            spikes.add(logits.argmax(dim=-1).numpy(), blank=blank)
            entropy += torch.distributions.Categorical(logits=logits).entropy().double().sum().item()
        utterance_count += len(batch)
        print(f"{utterance_count} utterances, {spikes.frames * frame_shift_s / 3600:.2f} h", flush=True)
    if not spikes.frames:
        raise ValueError("the store of teacher logits has no frames: was the logit dump empty?")
    label_frames = sum(length * number for length, number in spikes.lengths.items())
    return {
        "utterances": utterance_count,
        "frames": spikes.frames,
        "frame_shift_s": frame_shift_s,
        "blank_share": 1 - label_frames / spikes.frames,
        "mean_entropy": entropy / spikes.frames,
        "selections": [
            {"rule": rule.rule, "parameter": _parameter(rule), "frames": frames, "share": frames / spikes.frames}
            for rule, frames in zip(rules, kept, strict=True)
        ],
        "spikes": spikes.summary(frame_shift_s),
    }


def _parameter(rule: Selection) -> float | None:
    """The number that distinguishes selections with the same rule in tables."""
    return next(iter(rule.parameters.values()), None)


def _tensors(rule: Selection, log_prior: Tensor | None) -> dict:
    if rule.rule == "prior":
        if log_prior is None:
            raise ValueError('the rule "prior" needs the teacher\'s log prior: give CoverageJob log_prior')
        return {"log_prior": log_prior}
    if rule.rule == "random":  # which frames are drawn does not matter, only how many
        return {"generator": torch.Generator().manual_seed(0)}
    return {}
