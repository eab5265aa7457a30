"""Logits that do not depend on the rest of a batch, also of models whose padding reaches the speech.

Padding changes the logits of an encoder with a group norm over time (the smaller HuBERT, wav2vec 2.0 and WavLM), with a
batch norm behind its position convolution (``conv_pos_batch_norm``), or with convolutions that nothing keeps out of the
padding (data2vec-audio, wav2vec2-conformer, adapters), whatever the attention mask.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..frames import HOP_SAMPLES, SAMPLE_RATE_HZ
from .masking import valid_frames

PROBED = (SAMPLE_RATE_HZ, *range(SAMPLE_RATE_HZ // 2, SAMPLE_RATE_HZ // 2 + 8 * HOP_SAMPLES, HOP_SAMPLES))
"""Samples of the probes: one of 1 s, and eight of about half a second, because a model that makes one frame of up to
eight windows of 10 ms may let padding into the last frame of some lengths only."""


@torch.no_grad()
def batch_dependence(model: nn.Module) -> float:
    """How much the logits of short utterances change beside a longer one: the largest change, in units of the standard
    deviation of the logits. Rounding gives about 1e-6.

    :param model: ``(audio [B, N], lengths [B]) -> (logits [B, T, C], lengths [B])``, trained and in eval mode
    """
    noise = 0.1 * torch.randn(len(PROBED), PROBED[0], generator=torch.Generator().manual_seed(0))
    audio = noise.to(next(model.parameters(), noise).device)  # hama has no parameters
    lengths = torch.tensor(PROBED, device=audio.device)
    (in_batch, frames), (alone, _) = model(audio, lengths), each_alone(model, audio, lengths)
    valid = valid_frames(frames, min(in_batch.shape[1], alone.shape[1]))
    in_batch, alone = (logits[:, : valid.shape[1]][valid] for logits in (in_batch, alone))
    return float((in_batch - alone).abs().max() / alone.std())


def each_alone(model: nn.Module, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What ``model(audio, lengths)`` returns, but each utterance is computed without the others and without padding."""
    outputs = [model(row[None, :length], length[None]) for row, length in zip(audio, lengths, strict=True)]
    return pad_sequence([logits[0] for logits, _ in outputs], batch_first=True), torch.cat([n for _, n in outputs])
