"""Posteriors as the search needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctc_kd.lexicon.inventory import labels_with_blank

if TYPE_CHECKING:
    import numpy as np


def load_posteriors(path: str) -> dict[str, np.ndarray]:
    """Utterance id -> log posteriors ``[T, C]``.

    :raises ValueError: the classes are not the label inventory, or an utterance has a NaN
    """
    import numpy as np

    from ctc_kd.training.hdf import read_hdf, read_labels

    if read_labels(path) != labels_with_blank():
        raise ValueError(f"{path}: the classes are not the {len(labels_with_blank())} of the label inventory")
    posteriors = dict(read_hdf(path))
    for utterance, array in posteriors.items():
        if np.isnan(array).any():
            raise ValueError(f"{path}: utterance {utterance} has NaN posteriors; its model has diverged")
    return posteriors


def load_log_prior(path: str) -> np.ndarray:
    """The log prior ``[C]``.

    :raises ValueError: not one finite number for each class
    """
    import numpy as np

    log_prior = np.loadtxt(path, dtype="float32", ndmin=1)
    if log_prior.shape != (len(labels_with_blank()),) or not np.isfinite(log_prior).all():
        raise ValueError(f"{path}: expected {len(labels_with_blank())} finite log probabilities, one a line")
    return log_prior


def emissions(log_posteriors: np.ndarray, log_prior: np.ndarray, prior_scale: float) -> np.ndarray:
    """``log p(label | audio) - prior_scale * log p(label)``, ``[T, C]`` float32, for all classes, blank included."""
    import numpy as np

    return np.ascontiguousarray(log_posteriors.astype("float32") - np.float32(prior_scale) * log_prior)
