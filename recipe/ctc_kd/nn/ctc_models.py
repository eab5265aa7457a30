"""CTC models of transformers: loads them with their own features, and says where their frames are."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import log2
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForCTC,
    PretrainedConfig,
    PreTrainedModel,
    SequenceFeatureExtractor,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CTC_MAPPING_NAMES
from transformers.utils.logging import disable_progress_bar

from ..frames import SAMPLE_RATE_HZ, Layer

disable_progress_bar()  # a bar for loading weights would fill the logs of jobs

HEADS = ("lm_head", "ctc_head")
"""The names of the output layer in models of transformers."""


def source(model: str) -> dict[str, Any]:
    """Arguments of transformers' ``from_pretrained``. A local folder never needs the network.

    :raises FileNotFoundError: the model is an absolute path without a folder
    """
    is_folder = os.path.isdir(model)
    if os.path.isabs(model) and not is_folder:
        raise FileNotFoundError(f"{model}: no such folder, expected a CTC model of transformers")
    return {"pretrained_model_name_or_path": model, "local_files_only": is_folder}


def loaded(model: str, what: str, load: Callable[..., Any]) -> Any:
    """:raises ValueError: it cannot be loaded; names what is missing, and the model"""
    try:
        return load(**source(model))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(f"{model}: cannot load its {what}: {reason}") from error


def load_config(model: str) -> PretrainedConfig:
    """
    :raises ValueError: it is no CTC model
    """
    config = loaded(model, "config", AutoConfig.from_pretrained)
    if config.model_type not in MODEL_FOR_CTC_MAPPING_NAMES:
        known = ", ".join(sorted(MODEL_FOR_CTC_MAPPING_NAMES))
        raise ValueError(f"{model}: a {config.model_type!r} model, which has no CTC head; expected one of {known}")
    return config


def blank_of(config: PretrainedConfig) -> int | None:
    """The index of blank: in CTC models of transformers that of padding, unless they have one of its own."""
    own = getattr(config, "blank_token_id", None)
    return config.pad_token_id if own is None else own


def load_ctc_model(model: str) -> PreTrainedModel:
    """Loads a model with its head in float32, in eval mode.

    :raises ValueError: it is no CTC model, or weights are missing
    """
    load_config(model)

    def load(**arguments):
        return AutoModelForCTC.from_pretrained(**arguments, dtype=torch.float32, output_loading_info=True)

    ctc, found = loaded(model, "weights", load)
    missing = sorted(set(found["missing_keys"]))
    if without := [name for name in missing if name.split(".")[0] in HEADS]:
        raise ValueError(f"{model}: a {type(ctc).__name__} without CTC head: it has no weights {without[0]}")
    missing = [name for name in missing if not name.endswith("masked_spec_embed")]  # only training needs that one
    if missing:
        raise ValueError(f"{model}: a {type(ctc).__name__} without {len(missing)} of its weights, such as {missing[0]}")
    return ctc.eval()


def load_extractor(model: str) -> SequenceFeatureExtractor:
    """What the model's processor does with audio.

    :raises ValueError: the model has none, or it expects another sample rate
    """
    extractor = loaded(model, "processor (preprocessor_config.json)", AutoFeatureExtractor.from_pretrained)
    if extractor.sampling_rate != SAMPLE_RATE_HZ:
        raise ValueError(f"{model}: its processor expects {extractor.sampling_rate} Hz, but audio has {SAMPLE_RATE_HZ}")
    return extractor


def head_of(ctc: PreTrainedModel, model: str) -> nn.Module:
    for name in HEADS:
        if hasattr(ctc, name):
            return getattr(ctc, name)
    raise ValueError(f"{model}: a {type(ctc).__name__} whose output layer is none of {', '.join(HEADS)}")


def frame_layers(config: PretrainedConfig, extractor: SequenceFeatureExtractor, model: str) -> list[Layer]:
    """What makes the model's frames out of samples.

    :raises ValueError: of this kind of model it is not known
    """
    convolutional = config if hasattr(config, "conv_stride") else getattr(config, "audio_config", None)
    if hasattr(convolutional, "conv_stride"):
        layers = list(map(Layer, convolutional.conv_kernel, convolutional.conv_stride))
    elif config.model_type == "wav2vec2-bert":  # Kaldi's windows; neighbours are put together
        layers = [Layer(400, 160), Layer(extractor.stride, extractor.stride)]
    elif config.model_type in FEATURE_LAYERS:
        layers = FEATURE_LAYERS[config.model_type](config.encoder_config, extractor)
    else:
        raise ValueError(f"{model}: where the frames of a {config.model_type!r} model are in time is not known here")
    if getattr(config, "add_adapter", False):
        size = config.adapter_kernel_size
        layers += config.num_adapter_layers * [Layer(size, config.adapter_stride, padding=size // 2)]
    return layers


def _parakeet(encoder: PretrainedConfig, extractor: SequenceFeatureExtractor) -> list[Layer]:
    size, step = encoder.subsampling_conv_kernel_size, encoder.subsampling_conv_stride
    num_layers = int(log2(encoder.subsampling_factor))
    return [_centred_windows(extractor), *num_layers * [Layer(size, step, padding=(size - 1) // 2)]]


def _lasr(encoder: PretrainedConfig, extractor: SequenceFeatureExtractor) -> list[Layer]:
    convolution = Layer(encoder.subsampling_conv_kernel_size, encoder.subsampling_conv_stride)
    return [Layer(extractor.win_length, extractor.hop_length), convolution, convolution]


def _granite(encoder: PretrainedConfig, extractor: SequenceFeatureExtractor) -> list[Layer]:
    """Pairs of windows, and layers that join pairs of frames."""
    return [_centred_windows(extractor), Layer(2, 2), *len(encoder.subsample_layers) * [Layer(2, 2)]]


def _centred_windows(extractor: SequenceFeatureExtractor) -> Layer:
    return Layer(extractor.n_fft, extractor.hop_length, padding=extractor.n_fft // 2)


FEATURE_LAYERS = {"parakeet_ctc": _parakeet, "lasr_ctc": _lasr, "granite_speech5_ctc": _granite}
"""What makes frames of samples in models that compute features first: config of the encoder, extractor -> layers."""
