"""From waveforms to log-mel features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

from .masking import valid_frames


def prepare_waveform(audio: Tensor, lengths: Tensor, *, pre_emphasis: float = 0.97) -> Tensor:
    """Pre-emphasis ``y[n] = x[n] - 0.97 x[n-1]``, then each utterance scaled to a peak of 1; padding becomes 0.

    The paper's teacher and students all see this signal. Silent utterances stay silent.

    :param audio: ``[B, N]`` samples
    :param lengths: ``[B]`` samples
    :return: ``[B, N]`` float32
    """
    audio = audio.float()
    audio = torch.cat([audio[:, :1], audio[:, 1:] - pre_emphasis * audio[:, :-1]], dim=1)
    audio = audio.masked_fill(~valid_frames(lengths, audio.shape[1]), 0.0)
    peak = audio.abs().amax(dim=1, keepdim=True)
    return audio / peak.clamp(min=torch.finfo(torch.float32).tiny)


@dataclass(frozen=True)
class LogMelConfig:
    """
    Attributes:
        window: samples of the periodic Hann window, also the FFT size
        hop: samples from frame to frame
        min_frequency_hz, max_frequency_hz: range of the mel filters
        normalise: give every filter zero mean and unit variance over each utterance. The paper does not; with little
            data it shortens the time in which CTC knows blank only
    """

    sample_rate_hz: int = 16000
    window: int = 400
    hop: int = 160
    num_filters: int = 80
    min_frequency_hz: float = 60.0
    max_frequency_hz: float = 7600.0
    normalise: bool = False


class LogMel(nn.Module):
    """log10 of the Slaney mel spectrum of the power spectrum, windows inside of the signal only."""

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
        """Frames of utterances of ``lengths`` samples: ``floor((N - 400) / 160) + 1``, at least 0."""
        return ((lengths - self.cfg.window) // self.cfg.hop + 1).clamp(min=0)

    @torch.no_grad()
    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples
        :param lengths: ``[B]`` samples
        :return: features ``[B, T, num_filters]``, 0 in padding, and lengths ``[B]`` in frames
        """
        with torch.autocast(audio.device.type, enabled=False):
            frames = audio.float().unfold(1, self.cfg.window, self.cfg.hop) * self.hann  # [B, T, window]
            spectrum = torch.fft.rfft(frames)
            power = spectrum.real.square() + spectrum.imag.square()
            features = (power @ self.filters).clamp(min=1e-10).log10()
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
