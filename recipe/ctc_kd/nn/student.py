"""The student: log-mel, SpecAugment, VGG front-end, conformer, linear CTC output."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..frames import Layer, first_centre_s, vgg_layers
from .config import StudentConfig
from .conformer import Conformer
from .dropout import Dropout
from .features import LogMel, prepare_waveform
from .frontend import VggFrontend
from .specaugment import spec_augment


class StudentCtc(nn.Module):
    """Raw 16 kHz audio to CTC logits, one frame for ``subsampling`` windows of 10 ms."""

    def __init__(self, cfg: StudentConfig):
        super().__init__()
        self.cfg = cfg
        self.log_mel = LogMel(cfg.log_mel)
        self.frontend = VggFrontend(cfg.frontend, cfg.log_mel.num_filters, cfg.conformer.dim)
        self.conformer = Conformer(cfg.conformer)
        self.dropout = Dropout(cfg.conformer.dropout)
        self.output = nn.Linear(cfg.conformer.dim, cfg.num_labels_with_blank)

    @property
    def first_centre_s(self) -> float:
        """The time of the first frame, for a student that teaches others."""
        windows = Layer(self.cfg.log_mel.window, self.cfg.log_mel.hop)
        return first_centre_s([windows, *vgg_layers(self.cfg.subsampling)])

    @property
    def frame_shift_s(self) -> float:
        return self.cfg.subsampling * self.cfg.log_mel.hop / self.cfg.log_mel.sample_rate_hz

    @property
    def min_samples(self) -> int:
        """The fewest that make a frame; less is an error in the front-end."""
        return self.cfg.log_mel.window + (self.cfg.subsampling - 1) * self.cfg.log_mel.hop

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded; :func:`prepare_waveform` is applied here
        :param lengths: ``[B]`` samples
        :return: logits ``[B, T, C]`` and lengths ``[B]`` in frames; frames in padding hold arbitrary values
        """
        x, lengths = self.frames(audio, lengths)
        return self.output(self.dropout(self.conformer(x, lengths))), lengths

    def frames(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """:return: what the conformer reads, ``[B, T, dim]``, and lengths ``[B]``"""
        if (missing := self.min_samples - audio.shape[1]) > 0:  # no utterance of the batch makes a frame
            audio = F.pad(audio, (0, missing))
        features, lengths = self.log_mel(prepare_waveform(audio, lengths), lengths)
        if self.training and self.cfg.spec_augment is not None:
            features = spec_augment(features, lengths, self.cfg.spec_augment)
        return self.frontend(features, lengths)
