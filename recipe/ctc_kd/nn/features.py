"""From waveforms to log-mel features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

from ..frames import num_windows
from .config import LogMelConfig
from .masking import valid_frames


def prepare_waveform(audio: Tensor, lengths: Tensor) -> Tensor:
    """Pre-emphasis ``y[n] = x[n] - 0.97 x[n-1]``, then each utterance scaled to a peak of 1; padding becomes 0.

    The paper's teacher and students all see this signal. Silent utterances stay silent.

    :param audio: ``[B, N]`` samples
    :param lengths: ``[B]`` samples
    :return: ``[B, N]`` float32
    """
    audio = audio.float()
    audio = torch.cat([audio[:, :1], audio[:, 1:] - 0.97 * audio[:, :-1]], dim=1)
    audio = audio.masked_fill(~valid_frames(lengths, audio.shape[1]), 0.0)
    peak = audio.abs().amax(dim=1, keepdim=True)
    return audio / peak.clamp(min=torch.finfo(torch.float32).tiny)


class LogMel(nn.Module):
    """log10 of the power spectrum in Slaney mel bands, of windows that lie entirely inside the signal."""

    def __init__(self, cfg: LogMelConfig):
        super().__init__()
        self.cfg = cfg
        filters = melscale_fbanks(
            n_freqs=cfg.window // 2 + 1,
            f_min=cfg.min_frequency_hz,
            f_max=cfg.max_frequency_hz,
            n_mels=cfg.num_filters,
            sample_rate=cfg.sample_rate_hz,
            norm="slaney",
            mel_scale="slaney",
        )
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("hann", torch.hann_window(cfg.window, periodic=True), persistent=False)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """How many frames ``lengths`` samples have: ``floor((N - 400) / 160) + 1``, at least 0."""
        return num_windows(lengths, window=self.cfg.window, hop=self.cfg.hop).clamp(min=0)

    def power(self, audio: Tensor) -> Tensor:
        """The power spectrum of every window of ``[B, N]`` samples: ``[B, T, window // 2 + 1]``."""
        spectrum = torch.fft.rfft(audio.unfold(1, self.cfg.window, self.cfg.hop) * self.hann)
        return spectrum.real.square() + spectrum.imag.square()

    @torch.no_grad()
    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples
        :param lengths: ``[B]`` samples
        :return: features ``[B, T, num_filters]``, 0 in padding, and lengths ``[B]`` in frames
        """
        with torch.autocast(audio.device.type, enabled=False):
            features = (self.power(audio.float()) @ self.filters).clamp(min=1e-10).log10()
        lengths = self.output_lengths(lengths)
        padding = ~valid_frames(lengths, features.shape[1])[..., None]
        if self.cfg.normalise:
            features = standardise(features, lengths, padding)
        return features.masked_fill(padding, 0.0), lengths


def standardise(features: Tensor, lengths: Tensor, padding: Tensor) -> Tensor:
    """Zero mean and unit variance of every column over the frames that are not padding.

    :param features: ``[B, T, F]``
    :param lengths: ``[B]`` frames
    :param padding: ``[B, T, 1]`` bool
    """
    count = lengths.clamp(min=1)[:, None, None]
    centred = features - features.masked_fill(padding, 0.0).sum(dim=1, keepdim=True) / count
    variance = centred.masked_fill(padding, 0.0).square().sum(dim=1, keepdim=True) / count
    return centred * (variance + 1e-5).rsqrt()
