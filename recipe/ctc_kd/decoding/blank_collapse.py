"""Frames that a search need not see, because they are blank almost for sure ("Blank Collapse", arXiv 2210.17017)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def kept_frames(log_posteriors: np.ndarray, *, blank: int, threshold: float = 0.999) -> np.ndarray:
    """The frames that remain if each run of blank ones becomes a single one, and those at both ends none.

    The best path says the same on them: no label is left out, and a blank stays between two labels that are equal. A
    search with a language model loses paths that have a label in a frame that is left out, which is rare.

    :param log_posteriors: ``[T, C]``
    :param threshold: a frame is blank if the posterior of blank is above this, which is 0.5 or more
    :return: their indices, in order; none if all frames are blank
    :raises ValueError: the threshold is not between 0.5 and 1
    """
    import numpy as np

    check_threshold(threshold)
    is_blank = log_posteriors[:, blank] > math.log(threshold)
    spoken = np.flatnonzero(~is_blank)
    if not len(spoken):
        return spoken
    first_of_run = is_blank & ~np.concatenate([[True], is_blank[:-1]])
    kept = np.flatnonzero(~is_blank | first_of_run)
    return kept[kept <= spoken[-1]]


def check_threshold(threshold: float):
    if not 0.5 <= threshold <= 1:
        raise ValueError(f"blank threshold {threshold}, expected a probability of blank from 0.5 to 1")
