"""Which frames are left out as blank, and that the best path says the same without them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.decoding.blank_collapse import kept_frames
from ctc_kd.inventory import Inventory

INVENTORY = Inventory("characters", ("A", "_", "B"), blank=1)


def posteriors(path: str) -> np.ndarray:
    """Log posteriors of a path, one letter for each frame; ``.`` is a frame of which blank has only 0.9."""
    sure, unsure = {"A": (0.9, 0.05, 0.05), "B": (0.05, 0.05, 0.9), "_": (0.0004, 0.9995, 0.0001)}, (0.08, 0.9, 0.02)
    return np.log([sure.get(letter, unsure) for letter in path], dtype="float32").reshape(-1, 3)


CASES = {
    "": "",
    "____": "",
    "__A__": "A",
    "A___A": "A_A",
    "_AA__B___A_": "AA_B_A",
    "A_.___B": "A_._B",
    "..__A": ".._A",
    "AB": "AB",
}


@pytest.mark.parametrize(("path", "expected"), CASES.items(), ids=lambda path: path or "none")
def test_runs_of_blank_become_one_frame_and_none_at_the_ends(path, expected):
    kept = kept_frames(posteriors(path), blank=1)
    assert "".join(path[frame] for frame in kept) == expected
    assert list(kept) == sorted(set(kept))


def plain_kept(probabilities, threshold):
    """One frame after the other."""
    kept, pending = [], None
    for frame, probability in enumerate(probabilities):
        if probability > threshold:
            pending = frame if pending is None else pending
        else:
            if pending is not None and kept:
                kept.append(pending)
            pending = None
            kept.append(frame)
    return kept


@given(
    rows=st.lists(st.tuples(*3 * [st.floats(-6, 6)]), max_size=25),
    threshold=st.sampled_from([0.5, 0.8, 0.99, 1.0]),
)
def test_the_best_path_says_the_same(rows, threshold):
    logits = np.array(rows).reshape(-1, 3)
    log_posteriors = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    kept = kept_frames(log_posteriors, blank=1, threshold=threshold)
    best = log_posteriors.argmax(axis=1)
    assert INVENTORY.collapsed(best[kept].tolist()) == INVENTORY.collapsed(best.tolist())
    assert kept.tolist() == plain_kept(log_posteriors[:, 1], math.log(threshold))


@pytest.mark.parametrize("threshold", [0.49, 1.01, math.nan])
def test_a_threshold_that_could_leave_out_labels_is_refused(threshold):
    with pytest.raises(ValueError, match="expected a probability of blank from 0.5 to 1"):
        kept_frames(posteriors("A"), blank=1, threshold=threshold)
