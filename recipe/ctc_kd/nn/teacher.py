"""The teacher: a pre-trained Hugging Face speech encoder, pooled to the student's frame rate, with a CTC output."""

from __future__ import annotations

import os
from math import prod

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from ..frames import SAMPLE_RATE_HZ, Layer, first_centre_s
from .config import TeacherConfig
from .features import prepare_waveform
from .masking import random_subset, spans, valid_frames
from .narrow_convolutions import keep_in_fp32
from .whisper_encoder import LAYERS, WhisperAudioEncoder, WhisperFeatures, whisper_lengths

disable_progress_bar()  # bars for loading and saving weights would fill the logs of jobs


def plain_waveform(audio: Tensor, lengths: Tensor) -> Tensor:
    """Samples as recorded; padding becomes 0."""
    return audio.float().masked_fill(~valid_frames(lengths, audio.shape[1]), 0.0)


def normalised_waveform(audio: Tensor, lengths: Tensor) -> Tensor:
    """Zero mean and unit variance over each utterance; padding becomes 0."""
    count = lengths.clamp(min=1)[:, None]
    audio = plain_waveform(audio, lengths)
    centred = plain_waveform(audio - audio.sum(dim=1, keepdim=True) / count, lengths)
    return centred * (centred.square().sum(dim=1, keepdim=True) / count + 1e-7).rsqrt()


PREPARED = {"paper": prepare_waveform, "plain": plain_waveform, "normalised": normalised_waveform}
"""The functions that ``TeacherConfig.waveform`` names."""


def is_whisper(config: PretrainedConfig) -> bool:
    return config.model_type == "whisper"


def convolution_lengths(lengths: Tensor, config: PretrainedConfig) -> Tensor:
    """How many frames the encoder's convolutions make of ``lengths`` samples ``[B]``, at least 0."""
    if is_whisper(config):
        return whisper_lengths(lengths)
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        lengths = (lengths - kernel) // stride + 1
    return lengths.clamp(min=0)


def convolution_layers(config: PretrainedConfig) -> list[Layer]:
    """What makes the encoder's frames out of samples."""
    if is_whisper(config):
        return list(LAYERS)
    return [Layer(kernel, stride) for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True)]


def load_encoder(cfg: TeacherConfig) -> PreTrainedModel:
    """Loads the encoder in float32, whatever the type of the stored weights. A local folder never needs the network.

    :raises FileNotFoundError: the encoder is an absolute path without a folder
    :raises ValueError: weights of the encoder are missing, or the model does not read audio
    """
    if isinstance(cfg.encoder, dict):
        config = AutoConfig.for_model(**{**cfg.encoder, **_options(cfg, AutoConfig.for_model(**cfg.encoder))})
        _check_family(config)
        return WhisperAudioEncoder(config) if is_whisper(config) else AutoModel.from_config(config, dtype=torch.float32)
    is_folder = os.path.isdir(cfg.encoder)
    if os.path.isabs(cfg.encoder) and not is_folder:
        raise FileNotFoundError(f"{cfg.encoder}: expected a folder with config.json and model.safetensors")
    source = {"pretrained_model_name_or_path": cfg.encoder, "local_files_only": is_folder}
    config = AutoConfig.from_pretrained(**source)
    _check_family(config)
    model_class = WhisperAudioEncoder if is_whisper(config) else AutoModel
    options = {**_options(cfg, config), "dtype": torch.float32, "output_loading_info": True}
    model, found = model_class.from_pretrained(**source, **options)
    missing = sorted(set(found["missing_keys"]) - {"masked_spec_embed"})  # only fine-tuning here needs that one
    if missing:
        raise ValueError(
            f"{cfg.encoder}: expected all weights of a {config.model_type} encoder, but {len(missing)} are missing, "
            f"for example {missing[0]}. Was it saved from another model?"
        )
    return model


def _options(cfg: TeacherConfig, config: PretrainedConfig) -> dict:
    """The fields of an encoder's configuration to change."""
    # The model has the parameter for masked frames only if its own configuration asks for masks.
    # Its masks over features would be drawn with NumPy's random state, see _time_mask, so there are none.
    masks = {"mask_time_prob": cfg.mask_time_prob, "mask_time_length": cfg.mask_time_length, "mask_feature_prob": 0.0}
    on = {"apply_spec_augment": True} if hasattr(config, "apply_spec_augment") else {}  # some switch masks off
    options = {**on, **masks, **cfg.encoder_options}
    if is_whisper(config) and "layerdrop" in options:
        options["encoder_layerdrop"] = options.pop("layerdrop")  # its decoder has one, too
    return options


def _check_family(config: PretrainedConfig):
    if not (is_whisper(config) or hasattr(config, "conv_kernel")):
        raise ValueError(
            f"the encoder is a {config.model_type!r} model, which does not read audio: expected HuBERT, wav2vec 2.0, "
            "WavLM or Whisper"
        )


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
        keep_in_fp32(self.encoder)
        config = self.encoder.config
        self.features = WhisperFeatures(config) if is_whisper(config) else None
        self.prepare = PREPARED[cfg.waveform or ("plain" if is_whisper(config) else "paper")]
        if not cfg.train_convolutions:
            self._keep_convolutions()
        self.dropout = nn.Dropout(cfg.dropout)
        self.output = nn.Linear(config.hidden_size, cfg.num_labels_with_blank)

    @property
    def first_centre_s(self) -> float:
        """The time of the first output frame, in the middle of its encoder frames."""
        pooling = Layer(self.cfg.pooling, self.cfg.pooling, padding=-self.cfg.pooling_offset)
        return first_centre_s([*convolution_layers(self.encoder.config), pooling])

    @property
    def frame_shift_s(self) -> float:
        return self.cfg.pooling * prod(layer.step for layer in convolution_layers(self.encoder.config)) / SAMPLE_RATE_HZ

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded; ``TeacherConfig.waveform`` says how they are prepared here
        :param lengths: ``[B]`` samples
        :return: logits ``[B, T, C]`` and lengths ``[B]`` in frames; frames in padding hold arbitrary values
        :raises ValueError: the encoder changes the frame rate behind its convolutions
        """
        audio = self.prepare(audio, lengths)
        hidden = self._encode(audio, lengths, self._time_mask(audio, lengths))
        return self.output(self.dropout(self._pooled(hidden, audio))), self._output_lengths(lengths)

    def _pooled(self, hidden: Tensor, audio: Tensor) -> Tensor:
        """Pools frames ``[B, T, D]`` of the encoder to those of the output."""
        num_frames = self._num_frames(audio)
        if hidden.shape[1] != num_frames:
            raise ValueError(
                f"the encoder makes {hidden.shape[1]} frames of {audio.shape[1]} samples, expected {num_frames} like "
                'its convolutions. Leave out an adapter behind them: encoder_options={"add_adapter": False}'
            )
        offset, pooling = self.cfg.pooling_offset, self.cfg.pooling
        num_pooled = max(0, num_frames - offset) // pooling
        return hidden[:, offset : offset + num_pooled * pooling].unflatten(1, (num_pooled, pooling)).amax(dim=2)

    def _num_frames(self, audio: Tensor) -> int:
        return int(convolution_lengths(torch.as_tensor(audio.shape[1]), self.encoder.config))

    def _output_lengths(self, lengths: Tensor) -> Tensor:
        frames = convolution_lengths(lengths, self.encoder.config)
        return (frames - self.cfg.pooling_offset).clamp(min=0) // self.cfg.pooling

    def _encode(self, audio: Tensor, lengths: Tensor, time_mask: Tensor | None) -> Tensor:
        """:return: hidden states ``[B, T, D]``"""
        if self.features is not None:
            return self.encoder(self.features(audio), lengths if self.cfg.attention_mask else None, time_mask)
        attention_mask = valid_frames(lengths, audio.shape[1]).long() if self.cfg.attention_mask else None
        return self.encoder(audio, attention_mask=attention_mask, mask_time_indices=time_mask).last_hidden_state

    def _keep_convolutions(self):
        if self.features is not None:
            self.encoder.keep_convolutions()
        else:
            self.encoder.feature_extractor._freeze_parameters()  # also stops it from computing gradients

    def _time_mask(self, audio: Tensor, lengths: Tensor) -> Tensor | None:
        """Random masks ``[B, T]`` over the encoder's frames in training.

        They are drawn here because transformers would use NumPy's random state, which no checkpoint restores, and
        would refuse utterances that are shorter than a mask.
        """
        if not self.training or not self.cfg.mask_time_prob:
            return None
        lengths = convolution_lengths(lengths, self.encoder.config)
        expected = self.cfg.mask_time_prob * lengths / self.cfg.mask_time_length
        counts = (expected + torch.rand_like(expected)).floor().clamp(min=self.encoder.config.mask_time_min_masks)
        valid = valid_frames(lengths, self._num_frames(audio))
        return spans(random_subset(valid, counts), self.cfg.mask_time_length) & valid
