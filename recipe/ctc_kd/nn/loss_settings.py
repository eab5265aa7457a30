"""Checks of the settings of losses. A graph makes them when it is declared, without importing torch."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

NORMALISATIONS = ("selected_frames", "batch_times_labels")
"""Normalisations of the distillation loss, see ``nn.losses.kd_loss``."""


def check_distillation(*, kd_scale: float, temperature: float, normalisation: str):
    """
    :raises ValueError: a setting of ``nn.distillation.DistillationLoss`` makes no sense
    """
    if not (isinstance(kd_scale, Real) and 0 <= kd_scale <= 1):
        raise ValueError(f"kd_scale {kd_scale!r}, expected the weight of the KD loss, from 0 to 1")
    check_temperature(temperature)
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"normalisation {normalisation!r}, expected one of {', '.join(NORMALISATIONS)}")


def check_alpha(alpha: Any):
    """
    :raises ValueError: it is neither a weight from 0 to 1 nor the schedule ``{"clipped_line": t}``, t from 0 to 0.5
    """
    scheduled = isinstance(alpha, dict)
    value, most = (alpha.get("clipped_line"), 0.5) if scheduled else (alpha, 1)
    if not (isinstance(value, Real) and 0 <= value <= most) or (scheduled and len(alpha) != 1):
        raise ValueError(
            f'alpha {alpha!r}, expected a weight from 0 to 1, or {{"clipped_line": t}} with t from 0 to 0.5'
        )


def check_temperature(temperature: float):
    if not (isinstance(temperature, Real) and 0 < temperature < math.inf):
        raise ValueError(f"temperature {temperature!r}, expected a finite number above 0")
