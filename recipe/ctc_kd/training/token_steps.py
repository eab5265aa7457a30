"""What RETURNN calls to train a Whisper model token by token."""

from __future__ import annotations

import torch
from returnn.config import get_global_config
from returnn.tensor import TensorDict

from ctc_kd.nn.masking import valid_frames
from ctc_kd.nn.token_losses import IGNORED, TokenLoss
from ctc_kd.training.step_parts import counts_of_processes, mark_losses, padded, write_model_size
from ctc_kd.training.whisper_models import WhisperAlone, WhisperTraining, build_whisper


def get_model(**_kwargs) -> WhisperTraining | WhisperAlone:
    model = build_whisper(get_global_config().typed_value("model_config"))
    write_model_size(model.student)
    return model


def train_step(*, model: WhisperTraining | WhisperAlone, extern_data: TensorDict, **_kwargs):
    """Computes the losses of ``loss_config``; there are the data keys ``audio`` and ``labels``, which are tokens."""
    config = get_global_config()
    loss = TokenLoss(**config.typed_value("loss_config"))
    audio, samples = padded(extern_data["audio"])
    labels, lengths = padded(extern_data["labels"])
    targets = masked(labels, lengths)
    features = model.features(audio.squeeze(-1), samples)
    ours, theirs = model(features, targets, with_teacher="kl" in loss.scales)
    written = targets[:, 1:].clone()
    written[:, : config.typed_value("num_prompt_tokens") - 1] = IGNORED
    mark_losses(loss(ours, theirs, written, **counts_of_processes()), loss.scales)


def masked(labels: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """``[B, S]`` tokens as int64, with ``IGNORED`` in padding."""
    return labels.long().masked_fill(~valid_frames(lengths, labels.shape[1]), IGNORED)
