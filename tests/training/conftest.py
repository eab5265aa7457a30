"""A corpus of a few seconds of noise, as the training jobs read it."""

import io
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter

TINY_STUDENT = {
    "class": "StudentCtc",
    "num_labels_with_blank": 79,
    "frontend": {"channels": [2, 2, 2, 2]},
    "conformer": {"num_layers": 1, "dim": 16, "num_heads": 2, "feed_forward_dim": 16, "kernel_size": 3},
}


def write_archive(path, utterances):
    """:param utterances: id -> waveform ``[N]``"""
    entries = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, audio in utterances.items():
            buffer = io.BytesIO()
            soundfile.write(buffer, audio, 16000, format="FLAC")
            archive.writestr(f"{path.stem}/{name}.flac", buffer.getvalue())
            entries.append({"text": "", "file": f"{name}.flac", "seq_name": name, "duration": len(audio) / 16000})
        archive.writestr(f"{path.stem}.txt", repr(entries))


@pytest.fixture
def archive():
    """``archive(path, {utterance id: waveform})``"""
    return write_archive


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """``.student`` (a model), archives ``.train, .dev``, HDF ``.train_labels, .dev_labels``; utterances up to 1.2 s."""
    from sisyphus import tk

    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("tiny")
    paths = {"student": TINY_STUDENT}
    for part, size in (("train", 20), ("dev", 5)):
        audio = {f"{part}-{i:02d}": 0.1 * rng.standard_normal(rng.integers(8000, 19000)) for i in range(size)}
        write_archive(folder / f"{part}.zip", audio)
        with HdfWriter(folder / f"{part}_labels.hdf", labels=phonemes().labels) as writer:
            for name, samples in audio.items():
                writer.add(name, rng.integers(0, 78, len(samples) // 4000).astype("int32"))
        paths[part] = tk.Path(str(folder / f"{part}.zip"))
        paths[f"{part}_labels"] = tk.Path(str(folder / f"{part}_labels.hdf"))
    return SimpleNamespace(**paths)
