"""What RETURNN calls to distil a Whisper model token by token."""

from __future__ import annotations

import torch
from returnn.config import get_global_config
from returnn.tensor import TensorDict

from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.nn.masking import valid_frames
from ctc_kd.nn.token_losses import IGNORED, TokenLoss
from ctc_kd.nn.whisper_student import WhisperDistillation
from ctc_kd.training.step_parts import counts_of_processes, mark_losses, padded, write_model_size


class WhisperTraining(WhisperDistillation):
    """A student and its teacher on raw audio.

    :param teacher: folder or hub name of a Whisper model of transformers
    """

    def __init__(self, *, teacher: str, decoder_layers: int):
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

        model = WhisperForConditionalGeneration.from_pretrained(teacher, dtype=torch.float32)
        super().__init__(model, decoder_layers=decoder_layers)
        self.extractor = WhisperFeatureExtractor.from_pretrained(teacher)

    def features(self, audio: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """
        :param audio: ``[B, N]`` samples
        :return: ``[B, num_mel_bins, 3000]``: Whisper reads 30 s, the end of which may be silence
        """
        samples = [row[:length].float().cpu().numpy() for row, length in zip(audio, lengths.tolist(), strict=True)]
        found = self.extractor(samples, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
        return found.input_features.to(audio.device)


def get_model(**_kwargs) -> WhisperTraining:
    model = WhisperTraining(**get_global_config().typed_value("model_config"))
    write_model_size(model.student)
    return model


def train_step(*, model: WhisperTraining, extern_data: TensorDict, **_kwargs):
    """Computes the losses of ``loss_config``; there are the data keys ``audio`` and ``labels``, which are tokens."""
    config = get_global_config()
    loss = TokenLoss(**config.typed_value("loss_config"))
    audio, samples = padded(extern_data["audio"])
    labels, lengths = padded(extern_data["labels"])
    targets = masked(labels, lengths)
    ours, theirs = model(model.features(audio.squeeze(-1), samples), targets, with_teacher="kl" in loss.scales)
    written = targets[:, 1:].clone()
    written[:, : config.typed_value("num_prompt_tokens") - 1] = IGNORED
    mark_losses(loss(ours, theirs, written, **counts_of_processes()), loss.scales)


def masked(labels: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """``[B, S]`` tokens as int64, with ``IGNORED`` in padding."""
    return labels.long().masked_fill(~valid_frames(lengths, labels.shape[1]), IGNORED)
