"""A Hugging Face speech encoder with a second CTC output on an inner layer, see :mod:`ctc_kd.nn.two_heads`."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from .config import TwoHeadEncoderConfig, check_heads
from .teacher import SpeechEncoderCtc, convolution_lengths
from .two_heads import without_upper_layers
from .whisper_encoder import Windows

FAMILIES = ("hubert", "wav2vec2", "wavlm", "whisper")


class TwoHeadEncoderCtc(SpeechEncoderCtc):
    """An encoder whose first ``layer`` layers have a CTC output of their own.

    With this output they are a :class:`SpeechEncoderCtc` whose encoder has ``layer`` layers, see
    :meth:`truncated_state`. Where an encoder ends with a layer norm, so does the shorter one: it starts as a copy.

    :raises ValueError: the encoder has no more than ``layer`` layers, or is none of :data:`FAMILIES`
    """

    def __init__(self, cfg: TwoHeadEncoderConfig):
        super().__init__(cfg)
        config = self.encoder.config
        if config.model_type not in FAMILIES:
            raise ValueError(
                f"a {config.model_type!r} encoder takes no second head: expected one of {', '.join(FAMILIES)}"
            )
        check_heads(cfg.layer, cfg.head, num_layers=config.num_hidden_layers)
        self.ends_with_norm = config.model_type == "whisper" or config.do_stable_layer_norm
        if self.ends_with_norm:
            self.intermediate_norm = deepcopy(self.encoder.encoder.layer_norm)
        self.intermediate_output = nn.Linear(config.hidden_size, cfg.num_labels_with_blank)

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The logits of the head that the config names, see :meth:`SpeechEncoderCtc.forward`."""
        if self.cfg.head == "last":
            return super().forward(audio, lengths)
        (_, intermediate), lengths = self.both_heads(audio, lengths)
        return intermediate, lengths

    def both_heads(
        self, audio: Tensor, lengths: Tensor, *, independent_dropout: bool = False
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """As :meth:`ctc_kd.nn.two_heads.TwoHeadStudentCtc.both_heads`."""
        audio = self.prepare(audio, lengths)
        time_mask = self._time_mask(audio, lengths)
        last, inner = self._last_and_inner(audio, lengths, time_mask)
        if independent_dropout:
            _, inner = self._last_and_inner(audio, lengths, time_mask)
        last, inner = (self.dropout(self._pooled(hidden, audio)) for hidden in (last, inner))
        return (self.output(last), self.intermediate_output(inner)), self._output_lengths(lengths)

    def _last_and_inner(self, audio: Tensor, lengths: Tensor, time_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """:return: hidden states ``[B, T, D]`` above all layers, and above the first ``layer``"""
        outputs = []
        hook = self.encoder.encoder.layers[self.cfg.layer - 1].register_forward_hook(
            lambda *call: outputs.append(call[2])
        )
        try:
            last = self._encode(audio, lengths, time_mask)
        finally:
            hook.remove()
        inner = outputs[0][0] if isinstance(outputs[0], tuple) else outputs[0]  # WavLM's layers also return a bias
        if self.ends_with_norm:
            inner = self.intermediate_norm(inner)
        return last, inner if self.features is None else self._joined(inner, last.shape[1], lengths)

    def _joined(self, inner: Tensor, num_frames: int, lengths: Tensor) -> Tensor:
        """Joins the windows in which Whisper reads long audio."""
        frames = convolution_lengths(lengths, self.encoder.config)
        if not self.cfg.attention_mask:
            frames = torch.full_like(frames, num_frames)
        return Windows(num_frames, self.encoder.encoder.max_source_positions).join(inner, frames)

    def truncated_state(self) -> dict[str, Tensor]:
        """The weights of the plain model of ``layer`` layers that the intermediate head belongs to."""
        renamed = {"intermediate_output": "output"}
        if self.ends_with_norm:
            renamed["intermediate_norm"] = "encoder.encoder.layer_norm"
        return without_upper_layers(self.state_dict(), "encoder.encoder.layers", self.cfg.layer, renamed)
