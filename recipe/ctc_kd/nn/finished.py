"""A finished CTC model of transformers as a teacher: with its own features, weights and outputs, never trained here."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping

import torch
from torch import Tensor

from ..frames import SAMPLE_RATE_HZ
from .config import TransformersConfig
from .ctc_models import blank_of, frame_layers, head_of, load_ctc_model, load_extractor
from .pooling import PooledCtc


class TransformersCtc(PooledCtc):
    """Raw 16 kHz audio to the logits of a model's own processor and forward pass, pooled to the student's frame rate.

    :raises ValueError: the model has no CTC head, no processor or another number of outputs, or its frames do not fit
        to those of the student; the message names the model
    """

    def __init__(self, cfg: TransformersConfig):
        extractor, ctc = load_extractor(cfg.model), load_ctc_model(cfg.model)
        layers = frame_layers(ctc.config, extractor, cfg.model)
        num_labels, blank = ctc.config.vocab_size, blank_of(ctc.config)
        super().__init__(cfg, layers=layers, num_labels=num_labels, blank=blank, name=cfg.model)
        self.extractor, self.ctc = extractor, ctc
        if cfg.pool == "hidden":
            head_of(ctc, cfg.model).register_forward_pre_hook(lambda _, inputs: (self.pooling.maximum(inputs[0]),))

    @property
    def reads_samples(self) -> bool:
        """Whether the processor gives samples to the model; features otherwise."""
        return self.extractor.model_input_names[0] == "input_values"

    @property
    def identity(self) -> str:
        """The model's name, and a fingerprint of what it computes."""
        config = {**self.ctc.config.to_dict(), "processor": self.extractor.to_dict()}
        for changing in ("_name_or_path", "transformers_version"):
            config.pop(changing, None)
        digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
        for name, value in self.ctc.state_dict().items():
            digest.update(name.encode())
            digest.update(value.cpu().contiguous().numpy())
        name = os.path.basename(os.path.normpath(self.cfg.model)) if os.path.isdir(self.cfg.model) else self.cfg.model
        return f"{name} {digest.hexdigest()[:12]}"

    @torch.no_grad()
    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded
        :param lengths: ``[B]`` samples
        :return: logits ``[B, T, C]`` and lengths ``[B]`` in frames; frames in padding hold arbitrary values
        :raises ValueError: the model makes another number of frames than it says
        """
        samples = [row[:length].numpy() for row, length in zip(audio.float().cpu(), lengths.tolist(), strict=True)]
        options = {} if self.reads_samples else {"return_attention_mask": True}  # else the processor has its own choice
        inputs = self.extractor(samples, sampling_rate=SAMPLE_RATE_HZ, padding=True, return_tensors="pt", **options)
        inputs = inputs.to(audio.device)
        logits = self.ctc(**inputs).logits
        if self.cfg.pool != "hidden":
            logits = self.pooled(logits)
        frames = self.pooling.lengths(self._num_frames(inputs, lengths))
        if logits.shape[1] - int(frames.max()) not in (0, 1):  # one of padding, where features come in whole groups
            raise ValueError(
                f"{self.cfg.model}: a {type(self.ctc).__name__} that makes {logits.shape[1]} frames of "
                f"{audio.shape[1]} samples, expected {int(frames.max())}"
            )
        return logits, frames

    def _num_frames(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> Tensor:
        """How many frames the model makes of each utterance, before pooling, by its own account."""
        if not self.reads_samples:
            lengths = inputs["attention_mask"].sum(dim=-1)
        for name in ("_get_feat_extract_output_lengths", "_get_subsampling_output_length"):
            if hasattr(self.ctc, name):
                return getattr(self.ctc, name)(lengths).long().to(lengths.device)
        raise ValueError(f"{self.cfg.model}: a {type(self.ctc).__name__} does not say how many frames it makes")
