"""The Whisper models that are trained here, on raw audio: a student beside its teacher, or a model alone."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.nn.config import SpecAugmentConfig
from ctc_kd.nn.masking import valid_frames
from ctc_kd.nn.specaugment import spec_augment
from ctc_kd.nn.token_losses import IGNORED
from ctc_kd.nn.whisper_encoder import HOP, WhisperAudioEncoder, WhisperFeatures
from ctc_kd.nn.whisper_student import WhisperDistillation
from ctc_kd.training.build import weights_of


class WhisperTraining(WhisperDistillation):
    """A student and its teacher on raw audio.

    :param teacher: folder or hub name of a Whisper model of transformers
    :param masks: of SpecAugment in training, as fields of :class:`ctc_kd.nn.config.SpecAugmentConfig`
    """

    def __init__(self, *, teacher: str, decoder_layers: int, masks: dict[str, int] | None = None):
        model = WhisperForConditionalGeneration.from_pretrained(teacher, dtype=torch.float32)
        super().__init__(model, decoder_layers=decoder_layers)
        self.extractor = WhisperFeatureExtractor.from_pretrained(teacher)
        self.masks = None if masks is None else SpecAugmentConfig(**masks)

    def features(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """
        :param audio: ``[B, N]`` samples
        :return: ``[B, num_mel_bins, 3000]``: Whisper reads 30 s, the end of which may be silence. Student and teacher
            read the same masks
        """
        samples = [row[:length].float().cpu().numpy() for row, length in zip(audio, lengths.tolist(), strict=True)]
        with torch.autocast("cpu", enabled=False):  # the extractor hands its tensors to NumPy, which has no bfloat16
            found = self.extractor(samples, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
        features = found.input_features.to(audio.device)
        if self.training and self.masks is not None:
            features = spec_augment(features.transpose(1, 2), lengths // HOP, self.masks).transpose(1, 2)
        return features


class WhisperAlone(nn.Module):
    """A model without teacher.

    :param model: folder of transformers
    :param encoder: checkpoint of a :class:`ctc_kd.nn.teacher.SpeechEncoderCtc` to take the encoder from, which
        then stays as it is: a decoder that knows nothing yet would spoil it
    :param masked: share of the tokens that training hides from the decoder, except for the first
    """

    def __init__(self, *, model: str, encoder: str | None, masked: float = 0.0):
        super().__init__()
        self.masked = masked
        self.student = WhisperForConditionalGeneration.from_pretrained(model, dtype=torch.float32)
        self.log_mel = WhisperFeatures(self.student.config)
        self.encoder = WhisperAudioEncoder(self.student.config)
        self.encoder.encoder = self.student.model.encoder
        if encoder is not None:
            weights = weights_of(encoder)
            prefix = "encoder.encoder."
            own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
            self.student.model.encoder.load_state_dict(own)
            self.student.model.encoder.requires_grad_(False)
        self.trains_encoder = encoder is None

    def train(self, mode: bool = True):
        """An encoder that is not trained drops nothing."""
        super().train(mode)
        self.encoder.train(mode and self.trains_encoder)
        return self

    def features(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """
        :param audio: ``[B, N]`` samples
        :return: ``[B, L, num_mel_bins]``, all that the encoder reads at once: 3000 frames for 30 s. Behind the end of
            an utterance they are silence, as transformers pads them; in half of the training's batches they are 0, as
            faster-whisper pads them
        """
        window = self.student.config.max_source_positions * 2 * HOP
        audio = audio[:, :window].float().masked_fill(~valid_frames(lengths, min(audio.shape[1], window)), 0.0)
        found = self.log_mel(F.pad(audio, (0, window - audio.shape[1])))
        if self.training and torch.rand(()) < 0.5:
            found = found.masked_fill(~valid_frames(lengths // HOP, found.shape[1])[..., None], 0.0)
        return found

    def forward(self, features: Tensor, targets: Tensor, *, with_teacher: bool = False) -> tuple[Tensor, None]:
        """Like :meth:`ctc_kd.nn.whisper_student.WhisperDistillation.forward`, without the teacher's logits."""
        padding = self.student.config.pad_token_id
        tokens = targets[:, :-1].masked_fill(targets[:, :-1] == IGNORED, padding)
        if self.training:
            hidden = torch.rand(tokens.shape, device=tokens.device) < self.masked
            hidden[:, 0] = False
            tokens = tokens.masked_fill(hidden, padding)
        with torch.set_grad_enabled(self.trains_encoder and torch.is_grad_enabled()):
            states = self.encoder(features)
        decoded = self.student.model.decoder(input_ids=tokens, encoder_hidden_states=states, use_cache=False)
        return self.student.proj_out(decoded.last_hidden_state), None


def build_whisper(literal: dict[str, Any]) -> WhisperTraining | WhisperAlone:
    """
    :param literal: of a ``WhisperStudent`` or a ``FirstWhisper`` of :mod:`ctc_kd.training.train_tokens`
    """
    return WhisperAlone(**literal) if "model" in literal else WhisperTraining(**literal)
