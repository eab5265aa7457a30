"""What RETURNN calls to distil a Whisper model token by token."""

from __future__ import annotations

import returnn.frontend as rf
import torch
from returnn.config import get_global_config
from returnn.tensor import Tensor, TensorDict

from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.nn.token_losses import IGNORED, TokenLoss
from ctc_kd.nn.whisper_student import WhisperDistillation
from ctc_kd.training.returnn_config import MODEL_SIZE_FILE
from ctc_kd.training.several_gpus import joint_loss, sum_over_processes


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
    with open(MODEL_SIZE_FILE, "w") as file:
        file.write(str(sum(parameter.numel() for parameter in model.student.parameters())))
    return model


def train_step(*, model: WhisperTraining, extern_data: TensorDict, **_kwargs):
    """Computes the losses of ``loss_config``; there are the data keys ``audio`` and ``labels``, which are tokens."""
    config, context = get_global_config(), rf.get_run_ctx()
    loss = TokenLoss(**config.typed_value("loss_config"))
    audio, samples = _padded(extern_data["audio"])
    labels, lengths = _padded(extern_data["labels"])
    targets = masked(labels, lengths)
    ours, theirs = model(model.features(audio.squeeze(-1), samples), targets, with_teacher="kl" in loss.scales)
    written = targets[:, 1:].clone()
    written[:, : config.typed_value("num_prompt_tokens") - 1] = IGNORED
    together = context.train_flag and config.typed_value("torch_distributed") is not None
    split_batches = together and config.typed_value("split_batches")
    losses = loss(ours, theirs, written, **({"over_processes": sum_over_processes} if split_batches else {}))
    for name, scale in loss.scales.items():
        value, count = losses[name]
        if context.train_flag:
            value = joint_loss(value, split_batches=split_batches) if together else value
            context.mark_as_loss(value, name, scale=scale)
        else:  # the loss of the set is a mean over its tokens, whatever the batches are
            count = count.clamp(min=1).to(value)
            weight = Tensor("count", dims=(), dtype=rf.get_default_float_dtype(), raw_tensor=count)
            context.mark_as_loss(value * count, name, scale=scale, custom_inv_norm_factor=weight)


def masked(labels: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """``[B, S]`` tokens as int64, with ``IGNORED`` in padding."""
    positions = torch.arange(labels.shape[1], device=labels.device)
    return labels.long().masked_fill(positions >= lengths[:, None], IGNORED)


def _padded(data: Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return data.raw_tensor, data.dims[1].dyn_size_ext.raw_tensor.to(data.raw_tensor.device)
