"""What is stored of a forward pass: every set, no batch's influence, and no logits of a diverged model."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from sisyphus import tk

from cpu_jobs import on_cpu
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import read_hdf
from ctc_kd.training.build import build_model
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.posteriors import PosteriorsJob
from ctc_kd.training.steps import DumpLogits, WritePosteriors
from tiny_encoders import CONVOLUTIONAL

CONFORMER = {
    "class": "SpeechEncoderCtc",
    "num_labels_with_blank": 79,
    "encoder": {
        **CONVOLUTIONAL,
        "model_type": "wav2vec2-conformer",
        "feat_extract_norm": "layer",
        "position_embeddings_type": "rotary",
    },
}


@pytest.fixture
def checkpoint(tmp_path):
    """``checkpoint(model)``: a file with its initial weights, and a model that has them."""

    def save(literal):
        model = build_model(literal).eval()
        torch.save({"model": model.state_dict(), "epoch": 1, "step": 0}, tmp_path / "initial.pt")
        return tk.Path(str(tmp_path / "initial.pt")), model

    return save


def test_a_dump_does_not_depend_on_the_batch(run_jobs, archive, tmp_path, checkpoint):
    rng = np.random.default_rng(0)
    audio = {name: 0.1 * rng.standard_normal(length) for name, length in (("short", 7000), ("long", 20000))}
    archive(tmp_path / "audio.zip", audio)
    weights, model = checkpoint(CONFORMER)
    train_and_validation = 2 * [tk.Path(str(tmp_path / "audio.zip"))]
    dump = on_cpu(DumpLogitsJob(model=CONFORMER, checkpoint=weights, audio=train_and_validation))
    run_jobs(dump.out_logits)
    stored = dict(read_hdf(dump.out_logits.get_path()))
    assert set(stored) == set(audio)
    for name, samples in audio.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 16000, format="FLAC")
        heard = torch.tensor(soundfile.read(io.BytesIO(buffer.getvalue()), dtype="float32")[0])
        with torch.no_grad():
            alone, _ = model(heard[None], torch.tensor([len(heard)]))
        np.testing.assert_allclose(stored[name], alone[0], atol=2e-3, err_msg=name)
    log = (tmp_path / dump.work_path()).parent / "log.run.1"
    assert "depend on the batch" in log.read_text()


def test_one_archive_may_be_two_sets(run_jobs, tiny, checkpoint):
    weights, _ = checkpoint(tiny.student)
    sets = {"dev": tiny.dev, "test": tiny.dev, "train": tiny.train}
    posteriors = on_cpu(PosteriorsJob(model=tiny.student, checkpoint=weights, audio=sets, prior_audio=tiny.train))
    run_jobs(posteriors.out_prior)
    found = {name: list(read_hdf(store.get_path())) for name, store in posteriors.out_posteriors.items()}
    assert {name: len(stored) for name, stored in found.items()} == {"dev": 5, "test": 5, "train": 20}
    for (dev, array), (test, same) in zip(found["dev"], found["test"], strict=True):
        assert dev == test and np.array_equal(array, same)
    prior = sum(np.exp(array.astype("float64")).sum(axis=0) for _, array in found["train"])
    np.testing.assert_allclose(np.exp(np.loadtxt(posteriors.out_prior.get_path())), prior / prior.sum(), rtol=1e-2)


def callback(kind, folder, monkeypatch):
    options = {
        "labels": phonemes(79).labels,
        "num_utterances": 2,
        "folder": str(folder),
        "metadata": {},
        "first_shard": 0,
        "shard_size": 10,
        "outputs": {str(folder / "dev.hdf"): ["u1", "u2"]},
        "prior_utterances": ["u2"],
        "prior": str(folder / "prior.txt"),
    }
    config = SimpleNamespace(typed_value={"callback_options": options}.get)
    monkeypatch.setattr("ctc_kd.training.steps.get_global_config", lambda: config)
    created = kind()
    created.init(model=SimpleNamespace(first_centre_s=0.02, frame_shift_s=0.04))
    return created


@pytest.mark.parametrize(
    ("kind", "value"),
    [(DumpLogits, np.nan), (DumpLogits, np.inf), (DumpLogits, -np.inf), (DumpLogits, 1e5)]
    + [(WritePosteriors, np.nan), (WritePosteriors, np.inf)],
)
def test_logits_of_a_diverged_model_are_refused(tmp_path, monkeypatch, kind, value):
    writer = callback(kind, tmp_path, monkeypatch)
    logits = np.zeros((5, 79), "float32")
    writer.store("u1", logits)
    logits[3, 7] = value
    with pytest.raises(ValueError, match="utterance u2 has logits that are NaN or infinite"):
        writer.store("u2", logits)
