"""Checks the files of a training before it starts: RETURNN would find these faults late, or never."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from ctc_kd.files import read_json, write_json
from ctc_kd.frames import SUBSAMPLING, frame_shift_s, student_centre_s
from ctc_kd.inventory import Inventory, check_same, inventory_of
from ctc_kd.store import read_metadata, read_utterances
from ctc_kd.training.datasets import HYPOTHESES, too_short_for_ctc, utterance_durations
from ctc_kd.training.train_config import Inputs

SHOWN = 10


PASSED = "inputs_passed.json"
"""In the folder where a training runs: what has passed."""


def check_once(train: Inputs, dev: Inputs, **options):
    """:func:`check_inputs`, unless this training was started before and neither files nor options have changed since.

    Archives and labels of LibriSpeech take a while to read, which a killed training must not pay for again.
    """
    files = [file for inputs in (train, dev) for file in inputs.files()]
    sizes = {file: [(stat := os.stat(file)).st_size, stat.st_mtime_ns] for file in files}
    passing = {"files": sizes, "options": repr(sorted(options.items()))}
    if not os.path.exists(PASSED) or read_json(PASSED) != passing:
        check_inputs(train, dev, **options)
        write_json(PASSED, passing)


def check_inputs(
    train: Inputs,
    dev: Inputs,
    *,
    inventory: Inventory,
    partition_epoch: int,
    processes: int,
    subsampling: int = SUBSAMPLING,
    is_student: bool = True,
):
    """Reads the indices of archives and stores, and prints the utterances that are too short for their labels.

    The values of logits are not read: ``DumpLogitsJob`` refuses those that are no numbers.

    :param inventory: what the outputs of the model stand for
    :param partition_epoch: sub-epochs in one pass over the data
    :param processes: number of processes that train together
    :param subsampling: windows per frame of the model
    :param is_student: whether it has the student's front-end, which says when its frames are
    :raises ValueError: a store has other labels or another frame rate than the model, or lacks an utterance; or there
        are fewer utterances than sub-epochs and processes
    """
    hypotheses = train.hypotheses and os.path.join(train.hypotheses, HYPOTHESES["hypotheses"])
    for name, store in (
        ("labels", train.labels),
        ("dev_labels", dev.labels),
        ("teacher_logits", train.teacher_logits),
        ("hypotheses", hypotheses),
    ):
        if store:  # training itself sees only indices
            check_same(inventory_of(store), inventory, what=f"{name} {store}", whose="the model")
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
        check_frames(train.teacher_logits, subsampling, is_student=is_student)
        require([*of_train, *wanted_of_dev], read_utterances(train.teacher_logits), store=train.teacher_logits)
    if hypotheses:
        require([*of_train, *wanted_of_dev], read_utterances(hypotheses), store=hypotheses)
    for labels, durations in ((train.labels, of_train), (dev.labels, of_dev)):
        if labels:
            note_too_short(labels, durations, subsampling, is_student=is_student)


def check_frames(store: str, subsampling: int, *, is_student: bool = True):
    """Checks that frame t of the teacher is where frame t of the student is, up to half a frame.

    Of another model only the rate is checked: encoders that teach each other see the same frames.
    """
    metadata = read_metadata(store)
    shift_s, wanted_s = metadata.get("frame_shift_s"), frame_shift_s(subsampling)
    if shift_s != wanted_s:
        raise ValueError(
            f"teacher_logits {store}: the frame shift is {shift_s} s, but the student's is {wanted_s} s. Dump the "
            'logits of a teacher with the student\'s frame rate, or give the student "frontend": {"subsampling": ...}'
        )
    centre_s = metadata.get("first_centre_s")  # unknown in stores of earlier versions
    if is_student and centre_s is not None and abs(centre_s - student_centre_s(subsampling)) > shift_s / 2:
        raise ValueError(
            f"teacher_logits {store}: the first frame is at {1000 * centre_s:.1f} ms, but the student's is at "
            f"{1000 * student_centre_s(subsampling):.1f} ms: expected a distance of at most half a frame"
        )


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


def note_too_short(labels: str, durations: Mapping[str, float], subsampling: int, *, is_student: bool = True):
    """Prints the utterances whose CTC loss would be infinite and therefore counts as 0."""
    short = too_short_for_ctc(labels, durations, subsampling=subsampling)
    if short:
        shown = shorten([f"{name} ({found} of {needed})" for name, (found, needed) in short.items()])
        have, their = "have fewer frames", "their"
        if not is_student:
            have, their = "may have fewer frames (an encoder makes up to two more than shown)", "if so, their"
        print(
            f"note: {len(short)} utterances of {labels} {have} than CTC needs for their labels; "
            f"{their} CTC loss counts as 0: {shown}",
            flush=True,
        )


def shorten(names: Sequence[str]) -> str:
    return ", ".join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])
