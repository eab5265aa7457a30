"""The settings of the models as plain data. A graph checks them when it is declared, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..frames import HOP_SAMPLES, SAMPLE_RATE_HZ, SUBSAMPLING, WINDOW_SAMPLES


@dataclass(frozen=True)
class LogMelConfig:
    """
    Attributes:
        window: samples of the periodic Hann window, also the FFT size
        hop: samples from frame to frame
        min_frequency_hz, max_frequency_hz: range of the mel filters
        normalise: give every filter zero mean and unit variance over each utterance. The paper does not; with little
            data it shortens the phase in which CTC predicts nothing but blank
    """

    sample_rate_hz: int = SAMPLE_RATE_HZ
    window: int = WINDOW_SAMPLES
    hop: int = HOP_SAMPLES
    num_filters: int = 80
    min_frequency_hz: float = 60.0
    max_frequency_hz: float = 7600.0
    normalise: bool = False

    def __post_init__(self):
        if self.sample_rate_hz != SAMPLE_RATE_HZ:
            raise ValueError(f"sample_rate_hz {self.sample_rate_hz}: all audio has {SAMPLE_RATE_HZ}")


@dataclass(frozen=True)
class SpecAugmentConfig:
    """Counts and widths of the masks are drawn uniformly between a lower and an upper end, both included.

    Attributes:
        frames_per_time_mask: an utterance of T frames has up to ``T // frames_per_time_mask`` time masks
        max_time_width: in frames; a mask has at least 1
        max_frequency_width: in mel bins; a mask has at least 1
    """

    min_time_masks: int = 2
    frames_per_time_mask: int = 25
    max_time_width: int = 20
    min_frequency_masks: int = 2
    max_frequency_masks: int = 5
    max_frequency_width: int = 16

    def __post_init__(self):
        least = {"min_time_masks": 0, "min_frequency_masks": 0, "frames_per_time_mask": 1}
        for name, lowest in {**least, "max_time_width": 1, "max_frequency_width": 1}.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} {getattr(self, name)}: expected at least {lowest}")


@dataclass(frozen=True)
class VggConfig:
    """
    Attributes:
        channels: outputs of the four 3x3 convolutions
        subsampling: windows per frame, an even number: pooling halves the frame rate after the second convolution, and
            divides it by the rest after the fourth. 8 (80 ms) suits teachers whose frames are as long
    """

    channels: tuple[int, int, int, int] = (32, 64, 64, 32)
    subsampling: int = SUBSAMPLING

    def __post_init__(self):
        object.__setattr__(self, "channels", tuple(self.channels))
        if len(self.channels) != 4:
            raise ValueError(f"channels {self.channels}: expected four, one for each convolution")
        check_subsampling(self.subsampling)


def check_subsampling(subsampling: int):
    if not isinstance(subsampling, int) or subsampling not in range(2, 101, 2):
        raise ValueError(f"subsampling {subsampling!r}: expected an even number of windows of 10 ms for each frame")


@dataclass(frozen=True)
class ConformerConfig:
    """
    Attributes:
        dim: model dimension, a multiple of ``num_heads`` and of 2
        kernel_size: width of the depthwise convolution in frames, odd
        dropout: probability of every dropout, that of attention weights included
    """

    num_layers: int = 12
    dim: int = 384
    num_heads: int = 8
    feed_forward_dim: int = 1536
    kernel_size: int = 31
    dropout: float = 0.2

    def __post_init__(self):
        if self.dim % self.num_heads:
            raise ValueError(f"dim {self.dim} is not a multiple of num_heads {self.num_heads}")
        if self.dim % 2:
            raise ValueError(f"dim {self.dim} is odd: expected an even number, for sines and cosines of positions")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {self.kernel_size} is even: expected an odd number, centred on a frame")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout}: expected 0 or more, below 1")


@dataclass(frozen=True)
class StudentConfig:
    """The defaults are the paper's (43.8 million parameters).

    Attributes:
        num_labels_with_blank: number of outputs
        spec_augment: ``None`` trains without it
    """

    num_labels_with_blank: int
    log_mel: LogMelConfig = field(default_factory=LogMelConfig)
    spec_augment: SpecAugmentConfig | None = field(default_factory=SpecAugmentConfig)
    frontend: VggConfig = field(default_factory=VggConfig)
    conformer: ConformerConfig = field(default_factory=ConformerConfig)

    @property
    def subsampling(self) -> int:
        return self.frontend.subsampling

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> StudentConfig:
        """Reads what ``dataclasses.asdict`` returns, also after JSON; fields that are left out keep their defaults."""
        kinds = {
            "log_mel": LogMelConfig,
            "spec_augment": SpecAugmentConfig,
            "frontend": VggConfig,
            "conformer": ConformerConfig,
        }
        nested = {name: kinds[name](**value) for name, value in values.items() if name in kinds and value is not None}
        return cls(**{**values, **nested})


WAVEFORMS = ("paper", "plain", "normalised")


@dataclass(frozen=True)
class TeacherConfig:
    """
    Attributes:
        encoder: a name of the Hugging Face hub, a folder with ``config.json`` and ``model.safetensors``, or the fields
            of a transformers configuration (``{"model_type": "hubert", ...}``) for a randomly initialised encoder.
            It may be HuBERT, wav2vec 2.0, WavLM or the encoder of Whisper
        num_labels_with_blank: number of outputs
        pooling: encoder frames per output frame, pooled by their maximum (2 gives 25 Hz)
        pooling_offset: encoder frames before the first that is pooled, fewer than ``pooling``. Output frames of HuBERT
            lie 5.0 ms before the student's, those of Whisper 17.5 ms before, or with 1, which skips one encoder frame,
            2.5 ms after. Word error rates on AN4 show no clear effect, see docs/real_speech_results.md
        dropout: probability before the output layer
        attention_mask: hide padding from the encoder; the paper's code does not. Some encoders see padding all the
            same, see :mod:`ctc_kd.nn.alone`
        mask_time_prob: share of the encoder's frames that training masks, in spans of ``mask_time_length`` frames
        train_convolutions: False freezes the pre-trained feature extractor; the paper trains it
        encoder_options: fields of the encoder's configuration to change, ``{"layerdrop": 0.0, "hidden_dropout": 0.1}``
        waveform: how audio is prepared. ``"paper"``: pre-emphasis and a peak of 1, as for the student;
            ``"normalised"``: zero mean and unit variance, as in the pre-training of the large HuBERT, wav2vec 2.0 and
            WavLM; ``"plain"``: as recorded, as in Whisper's training. ``None``: ``"plain"`` for Whisper, ``"paper"``
            for all others
    """

    encoder: str | dict
    num_labels_with_blank: int
    pooling: int = 2
    dropout: float = 0.2
    attention_mask: bool = True
    mask_time_prob: float = 0.05
    mask_time_length: int = 10
    train_convolutions: bool = True
    encoder_options: dict = field(default_factory=dict)
    waveform: str | None = None
    pooling_offset: int = 0

    def __post_init__(self):
        if self.pooling_offset not in range(self.pooling):
            raise ValueError(f"pooling_offset {self.pooling_offset}: expected 0 or more, below pooling {self.pooling}")
        if self.waveform not in (None, *WAVEFORMS):
            raise ValueError(f"waveform {self.waveform!r}: expected one of {', '.join(WAVEFORMS)}")
        if self.encoder_options.get("mask_feature_prob"):
            raise ValueError("mask_feature_prob: masks over features cannot be drawn again after a kill, leave it out")

    @property
    def subsampling(self) -> int:
        """Windows of 10 ms per output frame; those of all encoders are 20 ms."""
        return 2 * self.pooling

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TeacherConfig:
        """Reads what ``dataclasses.asdict`` returns, also after JSON."""
        return cls(**values)


HEADS = ("last", "intermediate")
"""The heads of a model with two: which one is its output."""


def check_heads(layer: int, head: str, *, num_layers: int | None = None):
    """
    :param layer: number of layers below the intermediate head
    :param num_layers: of the model; None if it is not known yet
    :raises ValueError: the model cannot have such a head
    """
    if not isinstance(layer, int) or layer < 1 or (num_layers is not None and layer >= num_layers):
        most = "" if num_layers is None else f", and fewer than the model's {num_layers}"
        raise ValueError(f"layer {layer!r}: expected at least 1 layer below the intermediate head{most}")
    if head not in HEADS:
        raise ValueError(f"head {head!r}: expected one of {', '.join(HEADS)}")


@dataclass(frozen=True, kw_only=True)
class TwoHeadStudentConfig(StudentConfig):
    """
    Attributes:
        layer: number of conformer blocks below the intermediate head
        head: the output of forward passes, one of :data:`HEADS`
    """

    layer: int
    head: str = HEADS[0]

    def __post_init__(self):
        check_heads(self.layer, self.head, num_layers=self.conformer.num_layers)


@dataclass(frozen=True, kw_only=True)
class TwoHeadEncoderConfig(TeacherConfig):
    """
    Attributes:
        layer: number of the encoder's layers below the intermediate head
        head: the output of forward passes, one of :data:`HEADS`
        encoder_options: must say ``"layerdrop": 0.0``; if a training dropped layers, the intermediate head would have
            another number of layers below it in every step
    """

    layer: int
    head: str = HEADS[0]

    def __post_init__(self):
        super().__post_init__()
        check_heads(self.layer, self.head)
        if self.encoder_options.get("layerdrop") != 0:
            raise ValueError(
                'an encoder with two heads keeps all its layers: expected "encoder_options": {"layerdrop": 0.0}'
            )


POOLS = ("path", "probabilities", "logits", "hidden")


@dataclass(frozen=True, kw_only=True)
class FinishedConfig:
    """A CTC model that is used as it is.

    Attributes:
        num_labels_with_blank: number of outputs
        subsampling: windows of 10 ms per frame of the student that learns from it; 4 is the usual one's. None leaves
            the model's frames as they are, to measure it without pooling
        pool: what becomes of several frames of the model that make one of the student. ``"path"``: the probability that
            together they say a label, or nothing but blank, see ``nn.pooling.Pooling.path``; ``"probabilities"``: the
            log of their mean; ``"logits"``: the maximum of each logit; ``"hidden"``: the maximum of the hidden states,
            from which the output layer then makes logits. Models say most labels in one frame beside blank ones: all
            but the first delete almost half of them, see ``benchmarks/pooling.py``
    """

    num_labels_with_blank: int
    subsampling: int | None = SUBSAMPLING
    pool: str = POOLS[0]
    pools = POOLS  # those that the class offers

    def __post_init__(self):
        if self.subsampling is not None:
            check_subsampling(self.subsampling)
        if self.pool not in self.pools:
            raise ValueError(f"pool {self.pool!r}: expected one of {', '.join(self.pools)}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FinishedConfig:
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class TransformersConfig(FinishedConfig):
    """
    Attributes:
        model: a name of the Hugging Face hub, or a folder with the model and its processor
    """

    model: str


class HamaConfig(FinishedConfig):
    pools = POOLS[:3]  # hama keeps its hidden states to itself
