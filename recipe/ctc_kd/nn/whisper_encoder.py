"""Whisper's encoder on raw audio of any length, without the padding to 30 s: its features, convolutions and windows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder, WhisperPreTrainedModel

from ..frames import WINDOW_SAMPLES, Layer
from .config import LogMelConfig
from .features import LogMel
from .masking import valid_frames

HOP = 160  # samples per feature frame (100 Hz); the second convolution halves the rate to 50 Hz
LAYERS = (Layer(WINDOW_SAMPLES, HOP, padding=WINDOW_SAMPLES // 2), Layer(3, padding=1), Layer(3, 2, padding=1))
"""Its centred windows and its two convolutions."""

MASKED = -1e4  # in attention scores it gives a weight of 0 in every floating point type, and no NaN in empty rows


def whisper_lengths(lengths: Tensor) -> Tensor:
    """How many encoder frames ``lengths`` samples have: half of the complete hops, rounded up."""
    return (lengths // HOP + 1) // 2


class WhisperFeatures(nn.Module):
    """Whisper's log-mel features: centred windows, at most 80 dB below the utterance's maximum, ``(x + 4) / 4``.

    They equal the features of the utterance padded with zeros to 30 s.
    """

    def __init__(self, config: WhisperConfig):
        super().__init__()
        self.log_mel = LogMel(
            LogMelConfig(num_filters=config.num_mel_bins, min_frequency_hz=0.0, max_frequency_hz=8000.0)
        )

    def forward(self, audio: Tensor) -> Tensor:
        """
        :param audio: ``[B, N]`` samples, 0 in padding
        :return: ``[B, N // 160, num_mel_bins]``
        """
        num_frames = audio.shape[1] // HOP
        half = self.log_mel.cfg.window // 2
        audio = F.pad(audio, (0, half + 2 * HOP))  # all windows that touch the signal count for its maximum
        audio = torch.cat([audio[:, 1 : half + 1].flip(1), audio], dim=1)
        features, _ = self.log_mel(audio, torch.full((len(audio),), audio.shape[1], device=audio.device))
        features = torch.maximum(features, features.amax(dim=(1, 2), keepdim=True) - 8.0)
        return (features[:, :num_frames] + 4.0) / 4.0


class WhisperAudioEncoder(WhisperPreTrainedModel):
    """The encoder of a Whisper model, built from modules of transformers.

    Their own call needs 30 s of audio and masks no padding; this one takes any length.

    Utterances of up to ``max_source_positions`` frames (30 s) are one window, which starts at the first position.
    Longer ones are read in overlapping windows, see :class:`Windows`.
    """

    _keys_to_ignore_on_load_unexpected = [r"(^|\.)decoder\.", r"^proj_out\."]

    def __init__(self, config: WhisperConfig):
        super().__init__(config)
        self.encoder = WhisperEncoder(config)
        self.post_init()

    def keep_convolutions(self):
        """Freezes the two convolutions."""
        self.encoder.conv1.requires_grad_(False)
        self.encoder.conv2.requires_grad_(False)

    def forward(self, features: Tensor, lengths: Tensor | None = None, time_mask: Tensor | None = None) -> Tensor:
        """
        :param features: ``[B, L, F]``, see :class:`WhisperFeatures`
        :param lengths: ``[B]`` samples; what lies behind them is masked, so results do not depend on the batch. With
            None, padding is silence that is attended to, as in Whisper's own training
        :param time_mask: ``[B, T]`` bool, encoder frames whose features are set to 0
        :return: hidden states ``[B, T, D]``
        """
        if time_mask is not None:
            time_mask = time_mask.repeat_interleave(2, dim=1)[:, : features.shape[1], None]
            features = features.masked_fill(time_mask, 0.0)
        hidden = self._convolutions(features, lengths)
        if lengths is None:
            frames = torch.full((len(hidden),), hidden.shape[1], device=hidden.device)
        else:
            frames = whisper_lengths(lengths)
        windows = Windows(hidden.shape[1], self.encoder.max_source_positions)
        valid = windows.split(valid_frames(frames, hidden.shape[1])[..., None])[..., 0]
        hidden = windows.split(hidden)
        hidden = hidden + self.encoder.embed_positions.weight[: hidden.shape[1]]
        hidden = F.dropout(hidden, p=self.encoder.dropout, training=self.training)
        bias = torch.zeros_like(valid, dtype=hidden.dtype).masked_fill(~valid, MASKED)[:, None, None]
        for layer in self.encoder.layers:
            if not (self.training and torch.rand(()) < self.encoder.layerdrop):
                hidden = layer(hidden, bias)
        return windows.join(self.encoder.layer_norm(hidden), frames)

    def _convolutions(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        """From ``[B, L, F]`` to ``[B, T, D]``; padding is set to 0 before each convolution, as behind a batch's end."""
        hidden = features.transpose(1, 2)
        for convolution in (self.encoder.conv1, self.encoder.conv2):
            if lengths is not None:
                hidden = hidden.masked_fill(~valid_frames(lengths // HOP, hidden.shape[2])[:, None], 0.0)
            hidden = F.gelu(convolution(hidden))
        return hidden.transpose(1, 2)


class Windows:
    """Windows of at most ``size`` frames that overlap by a sixth (5 s of 30 s).

    The output changes from one window to the next in the middle of their overlap.

    Which windows an utterance uses depends only on its own length: its last window is the first that reaches its end.
    """

    def __init__(self, num_frames: int, size: int):
        self.num_frames, self.size = num_frames, size
        self.overlap = size // 6
        self.step = size - self.overlap

    def __len__(self) -> int:
        return 1 + max(0, -(-(self.num_frames - self.size) // self.step))

    def split(self, frames: Tensor) -> Tensor:
        """Cuts ``[B, T, D]`` into ``[B * W, size, D]``, padded with 0; a single window is returned as it is."""
        if len(self) == 1:
            return frames
        total = self.size + (len(self) - 1) * self.step
        frames = F.pad(frames, (0, 0, 0, total - self.num_frames))
        return frames.unfold(1, self.size, self.step).transpose(2, 3).flatten(0, 1)

    def join(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Joins ``[B * W, size, D]`` to ``[B, T, D]``.

        :param lengths: ``[B]`` frames
        """
        if len(self) == 1:
            return frames
        last = ((lengths - self.size + self.step - 1) // self.step).clamp(min=0, max=len(self) - 1)
        time = torch.arange(self.num_frames, device=frames.device)
        window = ((time - self.overlap // 2) // self.step).clamp(min=0).minimum(last[:, None])  # [B, T]
        offset = (time - window * self.step).clamp(max=self.size - 1)  # frames beyond are padding
        utterance = torch.arange(len(lengths), device=frames.device)[:, None]
        return frames.unflatten(0, (-1, len(self)))[utterance, window, offset]
