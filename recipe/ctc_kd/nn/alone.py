"""Logits that do not depend on the rest of a batch, also of models whose padding reaches the speech.

Padding changes the logits of an encoder with a group norm over time (the smaller HuBERT, wav2vec 2.0 and WavLM), with a
batch norm behind its position convolution (``conv_pos_batch_norm``), or with convolutions that nothing keeps out of the
padding (data2vec-audio, wav2vec2-conformer), whatever the attention mask.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..frames import SAMPLE_RATE_HZ


@torch.no_grad()
def batch_dependence(model: nn.Module) -> float:
    """How much the logits of an utterance of 1 s change beside one of 2 s: the largest change, in units of the standard
    deviation of its logits. Rounding gives about 1e-6.

    :param model: ``(audio [B, N], lengths [B]) -> (logits [B, T, C], lengths [B])``, trained and in eval mode
    """
    noise = 0.1 * torch.randn(2, 2 * SAMPLE_RATE_HZ, generator=torch.Generator().manual_seed(0))
    audio = noise.to(next(model.parameters()).device)
    lengths = torch.tensor([2 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ], device=audio.device)
    (in_batch, frames), (alone, _) = model(audio, lengths), each_alone(model, audio[1:], lengths[1:])
    num_frames = int(frames[1])
    alone = alone[0, :num_frames]
    return float((in_batch[1, :num_frames] - alone).abs().max() / alone.std())


def each_alone(model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What ``model(audio, lengths)`` returns, but each utterance is computed without the others and without padding."""
    outputs = [model(row[None, :length], length[None]) for row, length in zip(audio, lengths, strict=True)]
    return pad_sequence([logits[0] for logits, _ in outputs], batch_first=True), torch.cat([n for _, n in outputs])
