"""The teacher: a pre-trained Hugging Face speech encoder, pooled to the student's frame rate, with a CTC output."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from .features import prepare_waveform
from .masking import random_subset, spans, valid_frames

disable_progress_bar()  # of loading and saving weights, which would fill the logs of jobs


@dataclass(frozen=True)
class TeacherConfig:
    """
    Attributes:
        encoder: a name of the Hugging Face hub, a folder with ``config.json`` and ``model.safetensors``, or the fields
            of a transformers configuration (``{"model_type": "hubert", ...}``) for a randomly initialised encoder.
            HuBERT, wav2vec 2.0 and WavLM
        num_labels_with_blank: outputs
        pooling: encoder frames of an output frame, of which the maximum is taken (2: 25 Hz)
        dropout: before the output layer
        attention_mask: hide padding from the encoder; the paper's code does not. Results that do not depend on the
            batch also need ``feat_extract_norm="layer"``: the group norm of the smaller encoders averages over time
        mask_time_prob: in training, share of the encoder's frames in masks of ``mask_time_length`` frames
        train_convolutions: False keeps the pre-trained feature extractor as it is; the paper trains it
        encoder_options: fields of the encoder's configuration to change, ``{"layerdrop": 0.0, "hidden_dropout": 0.1}``
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

    @classmethod
    def from_dict(cls, values: dict) -> TeacherConfig:
        """From what ``dataclasses.asdict`` gives, also after a round trip through JSON."""
        return cls(**values)


def convolution_lengths(lengths: Tensor, config: PretrainedConfig) -> Tensor:
    """Frames of the encoder's convolutions for ``lengths`` samples ``[B]``, at least 0."""
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        lengths = (lengths - kernel) // stride + 1
    return lengths.clamp(min=0)


def load_encoder(cfg: TeacherConfig) -> PreTrainedModel:
    """The encoder in float32, whatever the type of the stored weights. A local folder never needs the network."""
    # The model has a parameter for masked frames only if its own configuration masks.
    options = {**cfg.encoder_options, "mask_time_prob": cfg.mask_time_prob, "mask_time_length": cfg.mask_time_length}
    if isinstance(cfg.encoder, dict):
        return AutoModel.from_config(AutoConfig.for_model(**{**cfg.encoder, **options}))
    is_folder = os.path.isdir(cfg.encoder)
    if os.path.isabs(cfg.encoder) and not is_folder:
        raise FileNotFoundError(f"{cfg.encoder}: expected a folder with config.json and model.safetensors")
    return AutoModel.from_pretrained(cfg.encoder, dtype=torch.float32, local_files_only=is_folder, **options)


def save_encoder(model: SpeechEncoderCtc, folder: str):
    """Write the encoder, without the output layer, as a Hugging Face folder in float16."""
    weights = {name: value.half() for name, value in model.encoder.state_dict().items()}
    model.encoder.save_pretrained(folder, state_dict=weights)


class SpeechEncoderCtc(nn.Module):
    """Raw 16 kHz audio to CTC logits: encoder, max-pooling over time, dropout, linear."""

    def __init__(self, cfg: TeacherConfig):
        super().__init__()
        self.cfg = cfg
        self.encoder = load_encoder(cfg)
        if not cfg.train_convolutions:
            self.encoder.feature_extractor._freeze_parameters()  # also tells it to compute no gradients
        self.dropout = nn.Dropout(cfg.dropout)
        self.output = nn.Linear(self.encoder.config.hidden_size, cfg.num_labels_with_blank)

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded, :func:`prepare_waveform` is applied here
        :param lengths: ``[B]`` samples
        :return: logits ``[B, T, C]`` and lengths ``[B]`` in frames; frames in padding hold anything
        """
        audio = prepare_waveform(audio, lengths)
        attention_mask = valid_frames(lengths, audio.shape[1]).long() if self.cfg.attention_mask else None
        num_samples = torch.as_tensor(audio.shape[1])
        num_frames = int(convolution_lengths(num_samples, self.encoder.config))
        lengths = convolution_lengths(lengths, self.encoder.config)
        hidden = self.encoder(
            audio, attention_mask=attention_mask, mask_time_indices=self._time_mask(lengths, num_frames)
        ).last_hidden_state  # [B, T, D]
        pooling = self.cfg.pooling
        hidden = hidden[:, : num_frames // pooling * pooling].unflatten(1, (-1, pooling)).amax(dim=2)
        return self.output(self.dropout(hidden)), lengths // pooling

    def _time_mask(self, lengths: Tensor, num_frames: int) -> Tensor | None:
        """Random masks ``[B, T]`` in training.

        Drawn here: transformers uses NumPy's random state, which no checkpoint restores, and refuses utterances that
        are shorter than a mask.
        """
        if not self.training or not self.cfg.mask_time_prob:
            return None
        expected = self.cfg.mask_time_prob * lengths / self.cfg.mask_time_length
        counts = (expected + torch.rand_like(expected)).floor().clamp(min=self.encoder.config.mask_time_min_masks)
        valid = valid_frames(lengths, num_frames)
        return spans(random_subset(valid, counts), self.cfg.mask_time_length) & valid
