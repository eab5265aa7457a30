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

TICKS_PER_S = 50
"""Positions of Whisper's encoder, and the grid of its times."""

SUBSAMPLING = 4
"""Windows per frame of the student, unless its front-end has another number."""


def num_windows(num_samples: Count, *, window: int = WINDOW_SAMPLES, hop: int = HOP_SAMPLES) -> Count:
    """How many windows fit into a signal. If it is shorter than one window, the number is 0 or negative."""
    return (num_samples - window) // hop + 1


def num_frames(duration_s: float, subsampling: int = SUBSAMPLING) -> int:
    """How many frames a student makes of an utterance; its teacher may make one more or one less."""
    return num_windows(round(duration_s * SAMPLE_RATE_HZ)) // subsampling


def min_samples(subsampling: int) -> int:
    """The fewest that make a frame; less is an error in a front-end."""
    return WINDOW_SAMPLES + (subsampling - 1) * HOP_SAMPLES


MIN_SAMPLES = min_samples(SUBSAMPLING)
"""The fewest samples that make a frame of the usual student."""


def frame_shift_s(subsampling: int) -> float:
    """Seconds from one frame to the next.

    :param subsampling: windows per frame
    """
    return subsampling * HOP_SAMPLES / SAMPLE_RATE_HZ


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


def vgg_layers(subsampling: int) -> list[Layer]:
    """The student's front-end, see ``nn.frontend``: twice two convolutions and a pooling."""
    pooled = (2, subsampling // 2)
    return [layer for size in pooled for layer in (Layer(3, padding=1), Layer(3, padding=1), Layer(size, size))]


def student_centre_s(subsampling: int) -> float:
    """The time of the first frame of a student with that many windows per frame."""
    return first_centre_s([Layer(WINDOW_SAMPLES, HOP_SAMPLES), *vgg_layers(subsampling)])


FRAME_SHIFT_S = frame_shift_s(SUBSAMPLING)
"""Frame shift of students, unless they say otherwise: 0.04 s, which is 25 frames per second."""
