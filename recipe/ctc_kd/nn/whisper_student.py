"""A smaller Whisper: the teacher's encoder, which stays as it is, and the first and last layers of its decoder."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from .token_losses import IGNORED


def student_of(teacher: WhisperForConditionalGeneration, *, decoder_layers: int = 2) -> WhisperForConditionalGeneration:
    """An ordinary Whisper model with fewer decoder layers, spread from the teacher's first to its last.

    :param decoder_layers: 1, which is the first layer, or more
    :raises ValueError: the teacher has not as many
    """
    depth = teacher.config.decoder_layers
    if not 1 <= decoder_layers <= depth:
        raise ValueError(
            f"a student with {decoder_layers} decoder layers of a teacher with {depth}: expected 1 to {depth}"
        )
    config = copy.deepcopy(teacher.config)
    config.decoder_layers = decoder_layers
    student = WhisperForConditionalGeneration(config)
    kept = [round(layer * (depth - 1) / max(1, decoder_layers - 1)) for layer in range(decoder_layers)]
    weights = {
        name: value for name, value in teacher.state_dict().items() if not name.startswith("model.decoder.layers.")
    }
    for own, theirs in enumerate(kept):
        prefix = f"model.decoder.layers.{theirs}."
        for name, value in teacher.state_dict().items():
            if name.startswith(prefix):
                weights[f"model.decoder.layers.{own}.{name.removeprefix(prefix)}"] = value
    student.load_state_dict(weights)
    student.generation_config = copy.deepcopy(teacher.generation_config)
    _keep_alignment_heads(student, kept)
    return student


def _keep_alignment_heads(student: WhisperForConditionalGeneration, kept: Sequence[int]):
    """Times of words come from heads of the decoder, and the student has only some of its teacher's layers.

    Without any of these heads, programs take all heads of the upper half of the layers.

    :param kept: the teacher's layer that each layer of the student was
    """
    if heads := getattr(student.generation_config, "alignment_heads", None):
        del student.generation_config.alignment_heads
        if own := [[kept.index(layer), head] for layer, head in heads if layer in kept]:
            student.generation_config.alignment_heads = own


class WhisperDistillation(nn.Module):
    """A student and its teacher, which read the same encoder states; only the student's decoder is trained.

    :param decoder_layers: of the student, see :func:`student_of`
    """

    def __init__(self, teacher: WhisperForConditionalGeneration, *, decoder_layers: int = 2):
        super().__init__()
        self.student = student_of(teacher, decoder_layers=decoder_layers)
        self.student.model.encoder = teacher.model.encoder
        self.teacher = teacher
        self.teacher.requires_grad_(False)

    def train(self, mode: bool = True):
        """The teacher, and with it the encoder, never drops anything."""
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, features: Tensor, targets: Tensor, *, with_teacher: bool = True) -> tuple[Tensor, Tensor | None]:
        """
        :param features: log-mel ``[B, num_mel_bins, 3000]``
        :param targets: ``[B, S]`` tokens; padding is ``IGNORED``. Each decoder reads them to write the next one
        :param with_teacher: whether the teacher's decoder is run
        :return: logits ``[B, S - 1, V]`` of the student and of the teacher, for ``targets[:, 1:]``
        """
        padding = self.student.config.pad_token_id
        tokens = targets[:, :-1].masked_fill(targets[:, :-1] == IGNORED, padding)
        with torch.no_grad():
            states = self.teacher.model.encoder(features).last_hidden_state
            theirs = self._logits(self.teacher, tokens, states) if with_teacher else None
        return self._logits(self.student, tokens, states), theirs

    @staticmethod
    def _logits(whisper: WhisperForConditionalGeneration, tokens: Tensor, states: Tensor) -> Tensor:
        decoded = whisper.model.decoder(input_ids=tokens, encoder_hidden_states=states, use_cache=False)
        return whisper.proj_out(decoded.last_hidden_state)
