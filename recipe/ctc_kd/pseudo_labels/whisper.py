"""Whisper by faster-whisper (MIT licence): what it writes about a stretch of audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SEED = 1
"""Temperatures above 0 draw; every stretch draws alike, whatever was decoded before it."""


@dataclass(frozen=True)
class WhisperDecoding:
    """
    :param beam_size: at temperature 0
    :param temperatures: the next one is tried where the text compresses too well, as loops do, or is too improbable
    :param compression_ratio: the most that a text may shrink
    :param log_probability: the least of the mean per token
    :param no_speech: a window with a higher probability of silence, and an improbable text, has no text
    :param timestamps: whether it writes the times of segments; without them a stretch is one segment
    :param condition_on_previous: whether a window reads the text before it, through which loops spread
    :param compute_type: of CTranslate2: ``"int8"`` on CPUs, ``"float16"`` on GPUs
    """

    beam_size: int = 5
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    compression_ratio: float = 2.4
    log_probability: float = -1.0
    no_speech: float = 0.6
    timestamps: bool = True
    condition_on_previous: bool = False
    compute_type: str = "int8"


GREEDY = WhisperDecoding(beam_size=1, temperatures=(0.0,), timestamps=False)
"""For a validator, which may loop: the composite distance knows what that means."""


class FasterWhisper:
    """
    :param model: a folder that CTranslate2 reads, or a name that faster-whisper knows
    :param language: of all audio, such as ``"en"``; None to detect that of each stretch
    :raises ValueError: the model knows English only, and another language is wanted
    """

    def __init__(self, model: str, *, language: str | None, decoding: WhisperDecoding, threads: int):
        from faster_whisper import WhisperModel

        self.model = WhisperModel(model, compute_type=decoding.compute_type, cpu_threads=threads)
        encode, window = self.model.encode, self.model.feature_extractor.nb_max_frames
        self.model.encode = lambda features: encode(features[..., :window])  # padded to 30 s, whatever the model reads
        if language not in (None, "en") and not self.model.model.is_multilingual:
            raise ValueError(f"{model}: an English model, which cannot decode {language!r}; give a multilingual one")
        self.language = language
        self.decoding = decoding

    def decode(self, samples: np.ndarray) -> dict[str, Any]:
        """
        :param samples: 16 kHz mono, float32 ``[N]``
        :return: ``language``, and ``segments`` with ``start, end`` in seconds, ``text, temperature,
            compression_ratio, log_probability, no_speech``
        """
        import ctranslate2

        ctranslate2.set_random_seed(SEED)
        options = self.decoding
        segments, info = self.model.transcribe(
            samples,
            language=self.language,
            beam_size=options.beam_size,
            temperature=list(options.temperatures),
            compression_ratio_threshold=options.compression_ratio,
            log_prob_threshold=options.log_probability,
            no_speech_threshold=options.no_speech,
            without_timestamps=not options.timestamps,
            condition_on_previous_text=options.condition_on_previous,
        )
        decoded = [
            {
                "start": round(segment.start, 2),
                "end": round(segment.end, 2),
                "text": segment.text.strip(),
                "temperature": segment.temperature,
                "compression_ratio": round(segment.compression_ratio, 3),
                "log_probability": round(segment.avg_logprob, 3),
                "no_speech": round(segment.no_speech_prob, 3),
            }
            for segment in segments
        ]
        return {"language": info.language, "segments": decoded}
