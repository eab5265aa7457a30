"""Where speech is in long audio: what silero-vad (MIT licence) says of blocks of it, and the pieces that makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ctc_kd.frames import MIN_SAMPLES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from torch.nn import Module

Span = tuple[int, int]

FRAME_SAMPLES = 512
"""The detector gives a probability of speech every 32 ms."""

BLOCK_SAMPLES, STRIPS, LEAD_FRAMES = 30_000 * FRAME_SAMPLES, 48, 125
"""A block of 16 minutes is cut into strips, which the detector reads side by side: that is ten times as fast as one
after the other. Each strip begins with the 4 s before it, so that the detector has settled."""

PAUSE_MS, MARGIN_MS = 1000, 200
"""A pause of this length ends a piece; what is around speech is kept so far."""


def speech_probabilities(blocks: Iterable[np.ndarray], detector: Module) -> Iterator[float]:
    """The probability of speech of each frame.

    :param blocks: ``[T]`` float32; all but the last have :data:`BLOCK_SAMPLES`
    :param detector: takes ``[strips, FRAME_SAMPLES]`` and the sample rate, returns ``[strips, 1]``
    """
    import torch
    from torch.nn.functional import pad

    lead = torch.zeros(LEAD_FRAMES * FRAME_SAMPLES)
    for block in map(torch.from_numpy, blocks):
        num_frames = -(-len(block) // FRAME_SAMPLES)
        strip = -(-num_frames // STRIPS) * FRAME_SAMPLES
        length = len(lead) + strip * -(-len(block) // strip)
        samples = torch.cat([lead, block])
        strips = pad(samples, (0, length - len(samples))).unfold(0, len(lead) + strip, strip)
        detector.reset_states()
        with torch.inference_mode():
            frames = [detector(frame, SAMPLE_RATE_HZ) for frame in strips.split(FRAME_SAMPLES, dim=1)]
        yield from torch.cat(frames[LEAD_FRAMES:], dim=1).flatten()[:num_frames].tolist()
        lead = samples[-len(lead) :]


def spans_of(probabilities: Sequence[float], *, num_samples: int, max_seconds: float) -> list[Span]:
    """Groups frames of speech into pieces: the first sample of each, and the one after its last.

    Pieces that are too short for a frame of the student are widened.
    """
    from silero_vad import get_speech_timestamps_from_probs

    spans = get_speech_timestamps_from_probs(
        probabilities,
        sampling_rate=SAMPLE_RATE_HZ,
        max_speech_duration_s=max_seconds,
        min_speech_duration_ms=0,
        min_silence_duration_ms=PAUSE_MS,
        min_silence_at_max_speech=0,
        speech_pad_ms=MARGIN_MS,
        audio_length_samples=num_samples,
    )
    starts = [max(0, min(span["start"], span["end"] - MIN_SAMPLES)) for span in spans]
    return [(start, max(span["end"], start + MIN_SAMPLES)) for start, span in zip(starts, spans, strict=True)]
