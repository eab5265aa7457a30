"""Learning rates per sub-epoch, as lists for RETURNN's ``learning_rates``, and weights that change over a training."""

from __future__ import annotations

from typing import Any


def ramp(start: float, end: float, num_epochs: int) -> list[float]:
    """Linear from ``start`` to ``end``, both included."""
    step = (end - start) / max(num_epochs - 1, 1)
    return [start + step * epoch for epoch in range(num_epochs)]


def one_cycle(
    num_epochs: int,
    *,
    peak: float = 5e-4,
    start: float = 7e-6,
    end_of_decay: float = 5e-5,
    final: float = 1e-7,
    cool_down: float = 0.06,
) -> list[float]:
    """Linear up to ``peak``, linear down to ``end_of_decay``, then a short cool-down to ``final``.

    With 500 epochs the defaults give the paper's TED-LIUM schedule (235 up, 235 down, 30 cool-down), and
    ``cool_down=0.08`` its LibriSpeech schedule (230, 230, 40). With the default ``cool_down``, fewer than
    25 epochs have none, or one epoch at ``end_of_decay``, so ``final`` has no effect.

    :param cool_down: share of the epochs; the rest is split evenly between the way up and the way down
    """
    num_cool_down = round(cool_down * num_epochs)
    num_down = (num_epochs - num_cool_down) // 2
    num_up = num_epochs - num_cool_down - num_down
    return ramp(start, peak, num_up) + ramp(peak, end_of_decay, num_down) + ramp(end_of_decay, final, num_cool_down)


def teacher_ramp(num_epochs: int = 50) -> list[float]:
    """The published fine-tuning schedule of the teacher: the first epochs of a ramp over 110 epochs.

    Its 50 sub-epochs end long before the peak, at 2.286e-4.
    """
    rates = ramp(7e-6, 5e-4, 110)
    if num_epochs > len(rates):
        raise ValueError(f"the ramp has {len(rates)} epochs, but {num_epochs} were requested")
    return rates[:num_epochs]


def clipped_line(epoch: int, num_epochs: int, *, knee: float) -> float:
    """A weight that rises from ``knee`` to ``1 - knee`` (arXiv 2406.07909): a line from 0 to 1, clipped.

    :param epoch: counted from 1
    :param knee: the paper's t, from 0 to 0.5
    """
    return min(max((epoch - 1) / max(num_epochs - 1, 1), knee), 1.0 - knee)


def weight_at(value: Any, epoch: int, num_epochs: int) -> Any:
    """The value of a setting in an epoch, counted from 1.

    ``{"clipped_line": t}`` is a schedule, see :func:`clipped_line`; everything else is constant.
    """
    if isinstance(value, dict) and set(value) == {"clipped_line"}:
        return clipped_line(epoch, num_epochs, knee=value["clipped_line"])
    return value
