"""Finished models as teachers: from a folder to its inventory, its dump and a student; and means of several dumps."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sisyphus import tk

from cpu_jobs import on_cpu
from ctc_kd.inventory import Inventory, inventory_of, read_inventory, write_inventory
from ctc_kd.store import HdfWriter, read_hdf, read_metadata
from ctc_kd.training.build import build_model
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.model_inventory import ModelInventoryJob
from ctc_kd.training.posteriors import PosteriorsJob
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig
from finished_models import save_model

TRAINING = TrainingConfig(learning_rates=(1e-3,), partition_epoch=1, batch_seconds=10.0)


def student_of(tiny, subsampling):
    student = {name: value for name, value in tiny.student.items() if name != "num_labels_with_blank"}
    return {**student, "frontend": {**student["frontend"], "subsampling": subsampling}}


@pytest.fixture
def short(tiny, archive, tmp_path):
    """The tiny corpus, but only the first few utterances of it."""
    rng, short = np.random.default_rng(0), SimpleNamespace(**vars(tiny))
    for part, size in (("train", 4), ("dev", 2)):
        archive(
            tmp_path / f"short_{part}.zip",
            {f"{part}-{i}": 0.1 * rng.standard_normal(9000 + i * 777) for i in range(size)},
        )
        setattr(short, part, tk.Path(str(tmp_path / f"short_{part}.zip")))
    return short


@pytest.mark.parametrize(("family", "subsampling"), [("wav2vec2, group norm", 4), ("wavlm", 4), ("parakeet, 80 ms", 8)])
def test_from_a_folder_to_a_student(run_jobs, short, tmp_path, family, subsampling):
    folder = save_model(tmp_path / "stranger", family, mask="group norm" not in family)
    model = {"class": "TransformersCtc", "model": tk.Path(folder), "subsampling": subsampling}
    inventory = ModelInventoryJob(model=model).out_inventory
    dump = on_cpu(DumpLogitsJob(model=model, checkpoint=None, audio=[short.train, short.dev], inventory=inventory))
    student = on_cpu(
        TrainJob(
            model=student_of(short, subsampling),
            criterion={"kd_scale": 1.0},
            training=TRAINING,
            audio=[short.train],
            dev_audio=short.dev,
            teacher_logits=dump.out_logits,
            inventory=inventory,
        )
    )
    run_jobs(student.out_curves)

    store = dump.out_logits.get_path()
    assert inventory_of(store) == read_inventory(inventory.get_path())
    num_labels = len(inventory_of(store).labels)
    teacher = build_model({**model, "model": folder, "num_labels_with_blank": num_labels}).eval()
    metadata = read_metadata(store)
    assert metadata["teacher_job"] == teacher.identity
    assert metadata["frame_shift_s"] == subsampling / 100
    assert metadata["first_centre_s"] == teacher.first_centre_s
    stored = dict(read_hdf(store))
    assert sorted(stored) == ["dev-0", "dev-1", "train-0", "train-1", "train-2", "train-3"]
    for utterance, samples in recordings(short.train):
        expected, _ = teacher(samples[None], torch.tensor([len(samples)]))
        np.testing.assert_allclose(stored[utterance], expected[0][: len(stored[utterance])], atol=2e-3)
    with open(student.out_curves.get_path()) as file:
        assert np.isfinite(json.load(file)[-1]["scores"]["dev_loss_kd"])


@pytest.mark.parametrize("label", [1, 3])
def test_a_model_that_says_nothing_of_all_audio_is_refused(run_here, tmp_path, short, label):
    """Its dump is complete already, as after a restart; 1 is blank, and no text has 3."""
    inventory = Inventory("characters", ("a", "_", "b", "<unk>"), blank=1, unspoken=("<unk>",))
    write_inventory(tmp_path / "inventory.json", inventory)
    model, path = {"class": "TransformersCtc", "model": "a/b"}, tk.Path(str(tmp_path / "inventory.json"))
    job = DumpLogitsJob(model=model, checkpoint=None, audio=[short.dev], inventory=path)
    os.makedirs(job.out_logits.get_path())
    shard = os.path.join(job.out_logits.get_path(), "0.hdf")
    metadata = {"inventory": inventory.facts(), "teacher_job": "model a/b"}
    for spoken in (0, label):
        with HdfWriter(shard, labels=inventory.labels, metadata=metadata) as store:
            store.add("dev-0", np.eye(4, dtype="float16")[[1, label]])
            store.add("dev-1", np.eye(4, dtype="float16")[[spoken, 1]])
        if spoken == 0:
            run_here(job)
    with pytest.raises(ValueError, match="logits: blank is all that model a/b says of the audio. Expected speech"):
        run_here(job)


def test_hama_teaches_too(run_jobs, short):
    pytest.importorskip("hama")
    model = {"class": "HamaCtc"}
    inventory = ModelInventoryJob(model=model).out_inventory
    posteriors = on_cpu(
        PosteriorsJob(
            model=model, checkpoint=None, audio={"dev": short.dev}, prior_audio=short.dev, inventory=inventory
        )
    )
    run_jobs(posteriors.out_prior)
    store = posteriors.out_posteriors["dev"].get_path()
    assert inventory_of(store) == read_inventory(inventory.get_path())
    assert read_metadata(store)["frame_shift_s"] == 0.04
    for _, array in read_hdf(store):
        np.testing.assert_allclose(np.exp(array.astype("float64")).sum(axis=1), 1.0, atol=0.01)


def test_a_model_that_cannot_teach_is_found_before_its_dump(run_here, tmp_path):
    """As one of 80 ms cannot teach students of 40 ms; ``test_finished`` has what else can be wrong."""
    folder = save_model(tmp_path / "stranger", "parakeet, 80 ms")
    job = ModelInventoryJob(model={"class": "TransformersCtc", "model": tk.Path(folder)})
    with pytest.raises(
        ValueError, match=f'{folder}: a frame of the model has 80 ms.*Declare "subsampling": 8 for both'
    ):
        run_here(job)
    assert not os.path.exists(job.out_inventory.get_path())


def test_what_makes_no_sense_is_refused_when_it_is_declared(tiny):
    finished = {"class": "TransformersCtc", "model": "some/model"}
    path = tk.Path("anything")
    with pytest.raises(ValueError, match="a StudentCtc has no inventory of its own"):
        ModelInventoryJob(model=tiny.student)
    with pytest.raises(ValueError, match="TransformersCtc cannot be built: pool 'mean'"):
        ModelInventoryJob(model={**finished, "pool": "mean"})
    with pytest.raises(ValueError, match="a TransformersCtc has weights of its own, and takes no checkpoint"):
        DumpLogitsJob(model=finished, checkpoint=path, audio=[path], inventory=path)
    with pytest.raises(ValueError, match="a StudentCtc needs a checkpoint"):
        PosteriorsJob(model=tiny.student, checkpoint=None, audio={"dev": path}, prior_audio=path)


def recordings(path):
    """Utterance id -> waveform ``[N]`` of an archive."""
    import io
    import zipfile

    import soundfile

    with zipfile.ZipFile(path.get_path()) as file:
        for name in file.namelist():
            if name.endswith(".flac"):
                samples, _ = soundfile.read(io.BytesIO(file.read(name)), dtype="float32")
                yield os.path.basename(name).removesuffix(".flac"), torch.from_numpy(samples)
