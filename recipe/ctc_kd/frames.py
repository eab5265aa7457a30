"""Time in samples and in frames: the sample rate of all audio, and where the frames of teachers and students lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

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
    """How many frames a student makes of an utterance; its teacher may make one more or one less."""
    return num_windows(round(duration_s * SAMPLE_RATE_HZ)) // SUBSAMPLING


class Layer(NamedTuple):
    """What slides over time: a window, a convolution, a pooling.

    :param size: how many inputs an output sees
    :param step: inputs from one output to the next
    :param padding: inputs that are added before the first; negative if as many are skipped
    """

    size: int
    step: int = 1
    padding: int = 0


def first_centre_s(layers: Iterable[Layer]) -> float:
    """The time of the first frame that a stack of layers makes of audio: the middle of the samples that it sees."""
    centre, step = 0.0, 1  # in samples; the samples from one input of a layer to the next
    for layer in layers:
        centre += step * ((layer.size - 1) / 2 - layer.padding)
        step *= layer.step
    return centre / SAMPLE_RATE_HZ


VGG_LAYERS = 2 * (Layer(3, padding=1), Layer(3, padding=1), Layer(2, 2))
"""The student's front-end, see ``nn.frontend``."""

STUDENT_CENTRE_S = first_centre_s([Layer(WINDOW_SAMPLES, HOP_SAMPLES), *VGG_LAYERS])
"""The time of the student's first frame."""
