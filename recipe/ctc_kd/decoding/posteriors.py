"""Loads posteriors for the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctc_kd.files import text_lines

if TYPE_CHECKING:
    import numpy as np


def load_posteriors(path: str) -> dict[str, np.ndarray]:
    """Utterance id -> log posteriors ``[T, C]``.

    :raises ValueError: an utterance has a NaN
    """
    import numpy as np

    from ctc_kd.store import read_hdf

    posteriors = dict(read_hdf(path))
    for utterance, array in posteriors.items():
        if np.isnan(array).any():
            raise ValueError(f"{path}: utterance {utterance} has NaN posteriors; its model has diverged")
    return posteriors


def load_log_prior(path: str, *, num_classes: int) -> np.ndarray:
    """The log prior ``[C]``.

    :raises ValueError: the file does not have one finite number for each class
    """
    import numpy as np

    try:
        log_prior = np.array([float(line) for line in text_lines(path)], dtype="float32")
    except ValueError:
        log_prior = np.zeros(0)
    if log_prior.shape != (num_classes,) or not np.isfinite(log_prior).all():
        raise ValueError(f"{path}: expected {num_classes} finite log probabilities, one for each class, one per line")
    return log_prior


def emissions(log_posteriors: np.ndarray, log_prior: np.ndarray, prior_scale: float) -> np.ndarray:
    """``log p(label | audio) - prior_scale * log p(label)``, ``[T, C]`` float32, for all classes, blank included."""
    import numpy as np

    return np.ascontiguousarray(log_posteriors.astype("float32") - np.float32(prior_scale) * log_prior)
