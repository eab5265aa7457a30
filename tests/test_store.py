"""Stores are read block by block; sequences are what was written, wherever a block ends."""

import numpy as np
import pytest

from ctc_kd import store
from ctc_kd.store import HdfWriter, read_hdf, read_utterances


@pytest.mark.parametrize("block", [1, 7, 30, 2**20])
@pytest.mark.parametrize("classes", [None, 3])
def test_sequences_are_those_that_were_written(tmp_path, monkeypatch, block, classes):
    monkeypatch.setattr(store, "BLOCK", block)
    rng, written = np.random.default_rng(0), {}
    for shard in range(2):
        with HdfWriter(tmp_path / f"{shard}.hdf", labels=["a", "b", "c"]) as writer:
            for number, length in enumerate([4, 0, 1, 9, 2, 0, 25, 3]):
                shape = (length,) if classes is None else (length, classes)
                array = rng.integers(0, 3, shape).astype("int32" if classes is None else "float16")
                written[f"{shard}-{number}"] = array
                writer.add(f"{shard}-{number}", array)
    read = list(read_hdf(tmp_path))
    assert [name for name, _ in read] == list(written) == list(read_utterances(tmp_path))
    for name, array in read:
        assert array.dtype == written[name].dtype and array.shape == written[name].shape
        assert (array == written[name]).all() and array.base is None, "a sequence that is kept keeps no block"


def test_a_damaged_store_is_named(tmp_path):
    path = tmp_path / "logits.hdf"
    with HdfWriter(path, labels=["A", "B"]) as writer:
        writer.add("one", np.zeros((300, 2), "float16"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(OSError, match=r"logits\.hdf: .*rerun the job that wrote it"):
        list(read_hdf(path))
