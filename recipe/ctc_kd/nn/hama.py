"""hama, a small recogniser of IPA phonemes whose weights come with its package (PyPI), as a finished teacher."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..frames import Layer
from .config import HamaConfig
from .pooling import PooledCtc

try:
    from hama.asr import ASRModel
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("hama is not installed: pip install -e '.[hama]' in the checkout") from error

LAYERS = (Layer(400, 160, padding=200), Layer(3, 2, padding=1))
"""Centred windows, and a convolution that halves their rate."""


class HamaCtc(PooledCtc):
    """Raw 16 kHz audio to log probabilities of hama's 191 labels, pooled to the student's frame rate.

    The package computes on the CPU, one utterance at a time.
    """

    def __init__(self, cfg: HamaConfig):
        hama = ASRModel()
        super().__init__(cfg, layers=LAYERS, num_labels=len(hama.decoder_tokens), blank=hama.blank_id, name="hama")
        self.hama = hama

    @property
    def identity(self) -> str:
        return f"hama {version('hama')}"  # its weights are part of the package

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded
        :param lengths: ``[B]`` samples
        :return: log probabilities ``[B, T, C]`` and lengths ``[B]`` in frames
        """
        utterances = zip(audio.float().cpu(), lengths.tolist(), strict=True)
        rows = [self._recognised(row[:length].numpy()) for row, length in utterances]
        frames = self.pooling.lengths(torch.tensor([len(row) for row in rows]))
        return self.pooled(pad_sequence(rows, batch_first=True)).to(audio.device), frames.to(audio.device)

    def _recognised(self, samples: np.ndarray) -> Tensor:
        feeds = {"waveform": samples.clip(-1.0, 1.0), "waveform_lengths": np.array([len(samples)])}
        log_probabilities, frames = self.hama.session.run(["log_probs", "out_lengths"], feeds)
        return torch.from_numpy(log_probabilities[0, : int(frames[0])])
