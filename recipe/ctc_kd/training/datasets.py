"""RETURNN dataset options: audio archives and HDF stores joined by utterance id."""

from __future__ import annotations

import ast
import os
import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from ctc_kd.frames import SAMPLE_RATE_HZ, SUBSAMPLING, num_frames
from ctc_kd.store import read_hdf

HYPOTHESES = {"hypotheses": "labels.hdf", "hypothesis_weights": "weights.hdf"}
"""Data key -> its file in the folder of an N-best list."""

ENTRY = re.compile(
    r"\{'text': '', 'file': '[^'\\]*', 'seq_name': '([^'\\]*)', 'duration': (\d+\.\d+), "
    r"'speaker_name': (?:None|'[^'\\]*')\},"
)
"""A line of the index as ``OggZipJob`` writes it, unless a name has a quotation mark or a backslash."""


def audio_dataset(archives: Sequence[str], *, seq_ordering: str, partition_epoch: int = 1, **options) -> dict:
    """Waveforms as recorded (``[N, 1]`` float32, 16 kHz) from archives made by ``OggZipJob``.

    RETURNN would scale every utterance to a peak of 1. How audio is prepared is the model's choice.
    """
    return {
        "class": "OggZipDataset",
        "path": list(archives),
        "audio": {"features": "raw", "sample_rate": SAMPLE_RATE_HZ, "peak_normalization": False},
        "targets": None,
        "seq_ordering": seq_ordering,
        "partition_epoch": partition_epoch,
        **options,
    }


def joined_dataset(*, audio: dict, stores: dict[str, Sequence[str]], order: str = "audio") -> dict:
    """Joins audio and HDF stores by utterance id, as a ``MetaDataset``.

    :param audio: options from :func:`audio_dataset`
    :param stores: data key -> HDF files
    :param order: key of the dataset that determines the utterances and their order
    """
    datasets = {"audio": audio}
    for key, files in stores.items():
        datasets[key] = {"class": "HDFDataset", "files": list(files), "use_cache_manager": False}
    if order != "audio":
        for option in ("seq_ordering", "partition_epoch"):
            datasets[order][option] = audio[option]
    return {
        "class": "MetaDataset",
        "datasets": datasets,
        "data_map": {key: (key, "data") for key in datasets},
        "seq_order_control_dataset": order,
    }


def beside_gpu(dataset: dict, rqmt: dict) -> dict:
    """Decodes the audio for a job with a GPU in further processes, one for each core but one, in the same order.

    Jobs without a GPU decode in place: extra processes would only cost their start-up.
    """
    if not rqmt.get("gpu"):
        return dataset
    return {"class": "MultiProcDataset", "dataset": dataset, "num_workers": max(1, rqmt["cpu"] - 1), "buffer_size": 16}


def extern_data(*, num_classes: int, keys: Sequence[str]) -> dict:
    """Shapes of the data keys ``audio``, ``labels`` (sparse) and ``teacher`` (logits), both with blank, and of N-best
    lists: ``hypotheses`` (sparse, each ends with a blank) and ``hypothesis_weights``."""
    shapes = {
        "audio": {"dim": 1, "shape": (None, 1)},
        "labels": {"dim": num_classes, "sparse": True, "shape": (None,)},
        "teacher": {"dim": num_classes, "shape": (None, num_classes), "dtype": "float16"},
        "hypotheses": {"dim": num_classes, "sparse": True, "shape": (None,)},
        "hypothesis_weights": {"dim": 1, "shape": (None, 1)},
    }
    return {key: shapes[key] for key in keys}


def utterance_durations(archives: Sequence[str]) -> dict[str, float]:
    """Utterance id -> duration in seconds, for all utterances of the audio archives, in their order."""
    durations: dict[str, float] = {}
    begins = []  # how many utterances are in the archives before
    for archive in archives:
        begins.append(len(durations))
        name = os.path.splitext(os.path.basename(archive))[0]
        with zipfile.ZipFile(archive) as file:
            index = file.read(f"{name}.txt").decode()
        for utterance, duration_s in read_index(index):
            if utterance in durations:
                first = archives[bisect_right(begins, list(durations).index(utterance)) - 1]
                raise ValueError(
                    f"utterance {utterance} is in {first} and in {archive}, but ids must differ: give the utterances "
                    "of one set other ids, or their files other names"
                )
            durations[utterance] = duration_s
    return durations


def read_index(index: str) -> Iterator[tuple[str, float]]:
    """``(utterance, duration in seconds)`` of an archive's index, which is a Python literal.

    A line that looks like ours needs no parser, which takes 50 times as long: a minute for LibriSpeech at three speeds.
    """
    lines = index.splitlines()
    if lines[:1] == ["["] and lines[-1] == "]" and all(matches := list(map(ENTRY.fullmatch, lines[1:-1]))):
        return ((match[1], float(match[2])) for match in matches)
    return ((entry["seq_name"], entry["duration"]) for entry in ast.literal_eval(index))


def too_short_for_ctc(
    labels: str, durations: Mapping[str, float], *, subsampling: int = SUBSAMPLING
) -> dict[str, tuple[int, int]]:
    """The utterances with fewer frames than CTC needs: utterance id -> number of frames, number needed.

    CTC needs one frame for each label, and one of blank between two equal labels.

    :param labels: store of label sequences
    :param durations: see :func:`utterance_durations`
    :param subsampling: windows per frame of the model
    """
    short = {}
    for utterance, sequence in read_hdf(labels):
        if utterance in durations:
            found = num_frames(durations[utterance], subsampling)
            if found < 2 * len(sequence):  # else there are enough even if all labels are equal
                needed = len(sequence) + int((sequence[1:] == sequence[:-1]).sum())
                if found < needed:
                    short[utterance] = (found, needed)
    return short
