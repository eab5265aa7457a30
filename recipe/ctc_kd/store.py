"""Sequences by utterance id in the HDF layout of RETURNN's ``HDFDataset``: labels, teacher logits, posteriors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ctc_kd.files import complete_file

if TYPE_CHECKING:  # numpy and h5py are imported where they are used: graphs must load without them
    import h5py
    import numpy as np


BLOCK = 2**20
"""Values that are read at once: reading each sequence alone costs far more than its values."""


class HdfWriter:
    """Writes one file: sparse ``[T]`` integer sequences, or dense ``[T, C]`` ones, each under its utterance id.

    The file appears under its name only when it is complete (written beside, then renamed).

    :param path: the file to write
    :param labels: the names of the C classes, in order
    :param metadata: JSON-serialisable facts kept in the file, see :func:`read_metadata`
    """

    def __init__(self, path: str, *, labels: Sequence[str], metadata: dict | None = None):
        self.path = os.fspath(path)
        self.labels = list(labels)
        self.metadata = metadata or {}
        self._tags: list[str] = []
        self._arrays: list[np.ndarray] = []

    def __enter__(self) -> HdfWriter:
        return self

    def __exit__(self, exc_type, exc, traceback):
        if exc_type is None:
            self.close()

    def __len__(self) -> int:
        return len(self._tags)

    def add(self, utterance: str, array: np.ndarray):
        """:param array: ``[T]`` integers below C, or ``[T, C]`` floats"""
        if array.ndim == 2 and array.shape[1] != len(self.labels):
            raise ValueError(f"{utterance}: {array.shape[1]} classes, but {self.path} has {len(self.labels)} labels")
        self._tags.append(utterance)
        self._arrays.append(array)

    def close(self):
        import h5py
        import numpy as np

        if not self._arrays:
            raise ValueError(f"{self.path}: no sequence was written")
        lengths = np.array([[len(array)] * 2 for array in self._arrays], dtype="int32")
        with complete_file(self.path) as partial, h5py.File(partial, "w") as file:
            text = h5py.special_dtype(vlen=str)
            file.attrs["numTimesteps"] = int(lengths[:, 0].sum())
            file.attrs["inputPattSize"] = file.attrs["numLabels"] = len(self.labels)
            file.attrs["numDims"] = 1
            file.attrs["numSeqs"] = len(self._tags)
            file.attrs["metadata"] = json.dumps(self.metadata, sort_keys=True)
            file.create_dataset("inputs", data=np.concatenate(self._arrays))
            file.create_dataset("labels", data=[label.encode() for label in self.labels])
            file.create_dataset("seqLengths", data=lengths)
            file.create_dataset("seqTags", data=self._tags, dtype=text)


def hdf_files(path: str) -> list[str]:
    """The HDF files of a store: the file itself, or all shards of a directory in order."""
    path = os.fspath(path)
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".hdf")]


def _open(name: str) -> h5py.File:
    import h5py

    try:
        return h5py.File(name, "r")
    except OSError as error:  # h5py's message does not always name the file
        raise OSError(f"{name}: {error}; rerun the job that wrote it") from error


def read_hdf(path: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ``(utterance id, array)`` of a store (file or directory of shards), in file order."""
    import numpy as np

    for name in hdf_files(path):
        with _open(name) as file:
            inputs, lengths = file["inputs"], file["seqLengths"][:, 0]
            steps = max(1, BLOCK // int(np.prod(inputs.shape[1:])))
            first, block, end = 0, inputs[:0], 0  # of the block: its first step, and its values
            for tag, length in zip(file["seqTags"].asstr()[:], lengths.tolist(), strict=True):
                start, end = end, end + length
                if end > first + len(block):
                    first, block = start, inputs[start : max(end, start + steps)]
                yield tag, block[start - first : end - first].copy()


def read_utterances(path: str) -> Iterator[str]:
    """The utterance ids of a store, in file order."""
    for name in hdf_files(path):
        with _open(name) as file:
            yield from file["seqTags"].asstr()[:]


def read_metadata(path: str) -> dict:
    """The facts that the writer stored, from the first shard."""
    with _open(hdf_files(path)[0]) as file:
        return json.loads(file.attrs["metadata"])


def read_labels(path: str) -> list[str]:
    """The class names, in index order."""
    with _open(hdf_files(path)[0]) as file:
        return [label.decode() for label in file["labels"]]
