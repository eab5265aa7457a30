"""Time in samples and in frames: the sample rate of all audio, and the frame shift of teachers and students."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    Count = TypeVar("Count", int, Tensor)

SAMPLE_RATE_HZ = 16_000

WINDOW_SAMPLES, HOP_SAMPLES = 400, 160
"""Windows of log-mel features: 25 ms every 10 ms."""

SUBSAMPLING = 4
"""Windows per frame of the student."""

MIN_SAMPLES = WINDOW_SAMPLES + (SUBSAMPLING - 1) * HOP_SAMPLES
"""The fewest samples that make a frame of the student."""

FRAME_SHIFT_S = SUBSAMPLING * HOP_SAMPLES / SAMPLE_RATE_HZ
"""Frame shift of stored logits and posteriors: 0.04 s, which is 25 frames per second."""


def num_windows(num_samples: Count, *, window: int = WINDOW_SAMPLES, hop: int = HOP_SAMPLES) -> Count:
    """How many windows fit into a signal. If it is shorter than one window, the number is 0 or negative."""
    return (num_samples - window) // hop + 1


def num_frames(duration_s: float) -> int:
    """How many frames a student makes of an utterance; its teacher makes as many or one more."""
    return num_windows(round(duration_s * SAMPLE_RATE_HZ)) // SUBSAMPLING
