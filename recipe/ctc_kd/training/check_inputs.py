"""Checks the files of a training before it starts: RETURNN would find these faults late, or never."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ctc_kd.frames import FRAME_SHIFT_S
from ctc_kd.lexicon.inventory import labels_with_blank
from ctc_kd.store import read_hdf, read_labels, read_metadata, read_utterances
from ctc_kd.training.datasets import too_short_for_ctc, utterance_durations
from ctc_kd.training.train_config import Inputs

SHOWN = 10


def check_inputs(train: Inputs, dev: Inputs, *, num_classes: int, partition_epoch: int, processes: int):
    """Reads archives and stores once, and prints the utterances that are too short for their labels.

    :param num_classes: of the model
    :param partition_epoch: sub-epochs in one pass over the data
    :param processes: number of processes that train together
    :raises ValueError: a store has other labels or another frame rate than the model, lacks an utterance, or has logits
        that are no numbers; or there are fewer utterances than sub-epochs and processes
    """
    check_inventories(train, dev, labels_with_blank(num_classes))
    of_train, of_dev = utterance_durations(train.audio), utterance_durations(dev.audio)
    needed = partition_epoch * processes
    if len(of_train) < needed:
        raise ValueError(
            f"{', '.join(train.audio)}: found {len(of_train)} utterances, expected at least {needed}, for "
            f"{partition_epoch} sub-epochs in {processes} processes: lower partition_epoch or the number of GPUs"
        )
    if train.labels:
        require(of_train, read_utterances(train.labels), store=train.labels)
    wanted_of_dev = list(read_utterances(dev.labels)) if dev.labels else of_dev  # labels determine the utterances
    require(wanted_of_dev, of_dev, store=dev.audio[0])
    if train.teacher_logits:
        check_teacher_logits(train.teacher_logits, [*of_train, *wanted_of_dev])
    for labels, durations in ((train.labels, of_train), (dev.labels, of_dev)):
        if labels:
            note_too_short(labels, durations)


def check_inventories(train: Inputs, dev: Inputs, classes: list[str]):
    """Checks that labels and teacher logits have the model's inventory: training itself sees only indices."""
    stores = {
        "labels": (train.labels, classes[:-1]),
        "dev_labels": (dev.labels, classes[:-1]),
        "teacher_logits": (train.teacher_logits, classes),
    }
    for name, (store, expected) in stores.items():
        if store and (found := read_labels(store)) != expected:
            raise ValueError(describe_difference(f"{name} {store}", found, expected))


def check_teacher_logits(store: str, utterances: Iterable[str]):
    """Checks the frame shift, and that ``utterances`` have logits. A class that is ruled out may have -inf."""
    frame_shift_s = read_metadata(store).get("frame_shift_s")
    if frame_shift_s != FRAME_SHIFT_S:
        raise ValueError(
            f"teacher_logits {store}: the frame shift is {frame_shift_s} s, but the student's is {FRAME_SHIFT_S} s. "
            "Dump the logits of a teacher with the student's frame rate."
        )
    missing = dict.fromkeys(utterances)
    for utterance, logits in read_hdf(store):
        if utterance in missing:
            del missing[utterance]
            if not np.isfinite(logits).all() and not np.isfinite(logits.max(axis=1)).all():
                raise ValueError(
                    f"teacher_logits {store}: utterance {utterance} has logits that are NaN or infinite. Its teacher "
                    "has diverged: dump another checkpoint"
                )
    require(missing, (), store=store)


def require(utterances: Iterable[str], found: Iterable[str], *, store: str):
    """
    :raises ValueError: some utterances are not among those ``found`` in the store
    """
    found = set(found)
    if missing := [utterance for utterance in utterances if utterance not in found]:
        raise ValueError(
            f"{store} lacks {len(missing)} utterances of the training or of its dev set: {shorten(missing)}. Make all "
            "inputs of a training from the same audio, transcripts and lexicon"
        )


def note_too_short(labels: str, durations: Mapping[str, float]):
    """Prints the utterances whose CTC loss would be infinite and therefore counts as 0."""
    short = too_short_for_ctc(labels, durations)
    if short:
        shown = shorten([f"{name} ({found} of {needed})" for name, (found, needed) in short.items()])
        print(
            f"note: {len(short)} utterances of {labels} have fewer frames than CTC needs for their labels; "
            f"their CTC loss counts as 0: {shown}",
            flush=True,
        )


def shorten(names: Sequence[str]) -> str:
    return ", ".join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])


def describe_difference(store: str, found: list[str], expected: list[str]) -> str:
    """The text of an error, which shows the first label that differs."""
    pairs = enumerate(itertools.zip_longest(found, expected))
    index, (label, wanted) = next((index, pair) for index, pair in pairs if pair[0] != pair[1])
    return (
        f"{store}: label {index} of {len(found)} is {label}, but the model's is {wanted}, of {len(expected)}. Teacher, "
        "student and label sequences need the same inventory: the same num_labels_with_blank, and if it is 80, "
        "LabelSequencesJob(..., unknown_label=True)."
    )
