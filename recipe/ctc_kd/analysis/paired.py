"""The best paths of a student and its teacher, utterance by utterance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ctc_kd.inventory import Inventory, check_same, inventory_of
from ctc_kd.store import read_hdf

MOST_DIFFERENCE = 1
"""In frames: encoders of 50 Hz that are pooled by two may have one frame less than the student."""


class BestPath(NamedTuple):
    """
    :param labels: ``[T]``, the label with the highest score of each frame
    :param log_posteriors: ``[T]``, of these labels
    """

    labels: np.ndarray
    log_posteriors: np.ndarray


class Pair(NamedTuple):
    """Two best paths of one utterance, of equal length."""

    teacher: BestPath
    student: BestPath


class Pairs(NamedTuple):
    """
    :param inventory: of both stores
    :param paths: the utterances that both have, in the order of the teacher's store
    :param left_out: the number of utterances that only one store has
    """

    inventory: Inventory
    paths: dict[str, Pair]
    left_out: int


def read_pairs(student: str, teacher: str) -> Pairs:
    """
    :param student, teacher: stores of logits or posteriors ``[T, C]``
    :raises ValueError: the stores have other inventories or frame shifts, no frames in common, or a NaN
    """
    inventory, expected = inventory_of(student), inventory_of(teacher)
    check_same(inventory, expected, what=student, whose=teacher)
    students, teachers = best_paths(student), best_paths(teacher)
    both = [utterance for utterance in teachers if utterance in students]
    paths = {utterance: of_equal_length(utterance, teachers[utterance], students[utterance]) for utterance in both}
    if not any(len(pair.teacher.labels) for pair in paths.values()):
        raise ValueError(f"{student} and {teacher}: no frames to compare, expected stores of the same utterances")
    return Pairs(inventory, paths, len(teachers) + len(students) - 2 * len(both))


def best_paths(store: str) -> dict[str, BestPath]:
    """By utterance."""
    paths = {}
    for utterance, scores in read_hdf(store):
        if np.isnan(scores).any():
            raise ValueError(f"{store}: utterance {utterance} has a NaN; its model has diverged, train it again")
        paths[utterance] = best_path(scores)
    return paths


def best_path(scores: np.ndarray) -> BestPath:
    """:param scores: ``[T, C]``, logits or log posteriors"""
    scores = scores.astype("float32")
    labels = scores.argmax(axis=1)
    best = scores.max(axis=1, keepdims=True)
    # the best label's score, minus the logarithm of the sum of all exponentials
    return BestPath(labels, -np.log(np.exp(scores - best).sum(axis=1)))


def of_equal_length(utterance: str, teacher: BestPath, student: BestPath) -> Pair:
    """Cuts the longer path to the length of the other.

    :raises ValueError: one is longer by more than :data:`MOST_DIFFERENCE`
    """
    lengths = len(teacher.labels), len(student.labels)
    if abs(lengths[0] - lengths[1]) > MOST_DIFFERENCE:
        raise ValueError(
            f"utterance {utterance} has {lengths[0]} frames of the teacher and {lengths[1]} of the student, "
            "expected the same frame shift"
        )
    return Pair(*(BestPath(*(array[: min(lengths)] for array in path)) for path in (teacher, student)))
