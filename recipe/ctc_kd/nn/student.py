"""The student: log-mel, SpecAugment, VGG front-end, conformer, linear CTC output at 25 Hz."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from .conformer import Conformer, ConformerConfig
from .dropout import Dropout
from .features import LogMel, LogMelConfig, prepare_waveform
from .frontend import VggConfig, VggFrontend
from .specaugment import SpecAugmentConfig, spec_augment


@dataclass(frozen=True)
class StudentConfig:
    """The defaults are the paper's (43.8 million parameters).

    Attributes:
        num_labels_with_blank: outputs
        spec_augment: ``None`` to train without
    """

    num_labels_with_blank: int
    log_mel: LogMelConfig = field(default_factory=LogMelConfig)
    spec_augment: SpecAugmentConfig | None = field(default_factory=SpecAugmentConfig)
    frontend: VggConfig = field(default_factory=VggConfig)
    conformer: ConformerConfig = field(default_factory=ConformerConfig)

    @classmethod
    def from_dict(cls, values: dict) -> StudentConfig:
        """From what ``dataclasses.asdict`` gives, also through JSON; left out fields keep defaults."""
        kinds = {
            "log_mel": LogMelConfig,
            "spec_augment": SpecAugmentConfig,
            "frontend": lambda channels: VggConfig(tuple(channels)),
            "conformer": ConformerConfig,
        }
        nested = {name: kinds[name](**value) for name, value in values.items() if name in kinds and value is not None}
        return cls(**{**values, **nested})


class StudentCtc(nn.Module):
    """Raw 16 kHz audio to CTC logits, one frame for each 40 ms."""

    def __init__(self, cfg: StudentConfig):
        super().__init__()
        self.cfg = cfg
        self.log_mel = LogMel(cfg.log_mel)
        self.frontend = VggFrontend(cfg.frontend, cfg.log_mel.num_filters, cfg.conformer.dim)
        self.conformer = Conformer(cfg.conformer)
        self.dropout = Dropout(cfg.conformer.dropout)
        self.output = nn.Linear(cfg.conformer.dim, cfg.num_labels_with_blank)

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded, :func:`prepare_waveform` is applied here
        :param lengths: ``[B]`` samples
        :return: logits ``[B, T, C]`` and lengths ``[B]`` in frames; frames in padding hold anything
        """
        features, lengths = self.log_mel(prepare_waveform(audio, lengths), lengths)
        if self.training and self.cfg.spec_augment is not None:
            features = spec_augment(features, lengths, self.cfg.spec_augment)
        x, lengths = self.frontend(features, lengths)
        return self.output(self.dropout(self.conformer(x, lengths))), lengths
