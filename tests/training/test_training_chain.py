"""The RETURNN jobs in one chain: CTC training, dump, label-free distillation, posteriors; and resuming each."""

import json
import os
import resource
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from cpu_jobs import on_cpu
from ctc_kd.files import read_json
from ctc_kd.frames import FRAME_SHIFT_S, SUBSAMPLING, student_centre_s
from ctc_kd.inventory import inventory_of
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter, hdf_files, read_hdf, read_metadata
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.posteriors import PosteriorsJob
from ctc_kd.training.run_returnn import run_returnn
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig

SHARD_SIZE = 16  # two shards of 25 utterances
TRAINING = TrainingConfig(learning_rates=(1e-3, 1e-3), partition_epoch=1, batch_seconds=4.0, keep_epochs=(1,))


def ctc_training(tiny, training=TRAINING):
    return on_cpu(
        TrainJob(
            model=tiny.student,
            criterion={"kd_scale": 0.0},
            training=training,
            audio=[tiny.train],
            dev_audio=tiny.dev,
            labels=tiny.train_labels,
            dev_labels=tiny.dev_labels,
        )
    )


def dump_by(tiny, training):
    return on_cpu(DumpLogitsJob(model=tiny.student, checkpoint=training.checkpoint(), audio=[tiny.train, tiny.dev]))


def chain(tiny):
    ctc = ctc_training(tiny)
    dump = dump_by(tiny, ctc)
    criterion = {"kd_scale": 1.0, "selection": {"rule": "symmetric", "parameters": {"n": 1}}}
    student = on_cpu(
        TrainJob(
            model=tiny.student,
            criterion=criterion,
            training=TRAINING,
            audio=[tiny.train],
            dev_audio=tiny.dev,
            teacher_logits=dump.out_logits,
        )
    )
    posteriors = on_cpu(
        PosteriorsJob(
            model=tiny.student, checkpoint=student.checkpoint(), audio={"dev": tiny.dev}, prior_audio=tiny.train
        )
    )
    return ctc, dump, posteriors


@pytest.fixture(scope="module")
def finished_work(tiny, tmp_path_factory):
    """The work folder of the chain: its jobs have been run once for all tests."""
    from sisyphus import gs, job, tk

    folder = tmp_path_factory.mktemp("chain")
    (folder / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(gs, "BASE_DIR", str(folder))
        patch.setattr(job, "created_jobs", {})
        patch.setattr("ctc_kd.training.dump.SHARD_SIZE", SHARD_SIZE)
        tk.run([chain(tiny)[-1].out_prior], quiet=True)
    return folder / "work"


@pytest.fixture
def run_jobs(run_jobs, finished_work, tmp_path, monkeypatch):
    """As everywhere, but in a copy of the finished chain: jobs of it are not run again."""
    monkeypatch.setattr("ctc_kd.training.dump.SHARD_SIZE", SHARD_SIZE)
    shutil.copytree(finished_work, tmp_path / "work", symlinks=True, dirs_exist_ok=True)
    return run_jobs


@pytest.mark.slow  # whatever test of the file comes first
def test_chain(run_jobs, tiny):
    ctc, dump, posteriors = chain(tiny)
    run_jobs(posteriors.out_prior)

    with open(ctc.out_curves.get_path()) as file:
        curves = json.load(file)
    assert [entry["epoch"] for entry in curves] == [1, 2]
    assert {"train_loss_ctc", "dev_loss_ctc"} <= set(curves[-1]["scores"])
    assert all(entry["seconds"] >= 0 for entry in curves)

    logits = dict(read_hdf(dump.out_logits.get_path()))
    assert len(logits) == 25
    assert all(array.dtype == np.float16 and array.shape[1] == 79 for array in logits.values())
    metadata = read_metadata(dump.out_logits.get_path())
    assert metadata.pop("inventory")["kind"] == "phonemes"
    assert metadata == {
        "teacher_job": ctc.job_id(),
        "frame_shift_s": FRAME_SHIFT_S,
        "first_centre_s": student_centre_s(SUBSAMPLING),
    }
    for store in (dump.out_logits, posteriors.out_posteriors["dev"]):
        assert inventory_of(store.get_path()) == phonemes()

    dev = dict(read_hdf(posteriors.out_posteriors["dev"].get_path()))
    assert len(dev) == 5
    for array in dev.values():
        np.testing.assert_allclose(np.exp(array.astype("float64")).sum(axis=1), 1.0, atol=0.01)
    np.testing.assert_allclose(np.exp(np.loadtxt(posteriors.out_prior.get_path())).sum(), 1.0, atol=1e-3)


def test_the_dev_loss_does_not_depend_on_the_batches(run_jobs, tiny):
    """Labels are weighed alike, in batches of 1.5 s or of 30 s. The model does not learn: its rate is 0."""
    losses = []
    for seconds in (1.5, 30.0):
        still = replace(TRAINING, learning_rates=(0.0,), keep_epochs=(), batch_seconds=seconds)
        job = ctc_training(tiny, still)
        run_jobs(job.out_curves)
        losses.append(read_json(job.out_curves.get_path())[-1]["scores"]["dev_loss_ctc"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_resumed_training_equals_undisturbed(run_jobs, tiny):
    run_jobs((ctc := ctc_training(tiny)).out_curves)
    models = ctc.out_models.get_path()
    undisturbed = torch.load(f"{models}/epoch.002.pt", weights_only=True)["model"]
    os.remove(f"{models}/epoch.002.pt")  # as if killed in the second epoch, before its checkpoint was written
    _run_again(ctc)
    resumed = torch.load(f"{models}/epoch.002.pt", weights_only=True)["model"]
    for name, value in undisturbed.items():
        assert torch.equal(value, resumed[name]), name


def test_resumed_dump_equals_undisturbed(run_jobs, tiny):
    run_jobs((dump := dump_by(tiny, ctc_training(tiny))).out_logits)
    folder = dump.out_logits.get_path()
    undisturbed = dict(read_hdf(folder))
    shards = hdf_files(folder)
    assert len(shards) == 2
    os.remove(shards[1])
    _run_again(dump)
    resumed = dict(read_hdf(folder))
    assert list(resumed) == list(undisturbed)
    for name, array in undisturbed.items():
        assert np.array_equal(array, resumed[name]), name


def test_a_store_may_have_more_files_than_are_allowed_at_first(tmp_path, capfd):
    config = tmp_path / "returnn.config"
    config.write_text(
        "#!returnn\nimport resource\nprint('files:', resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
        "task = 'nop'\nbackend = 'torch'\n"
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        run_returnn(str(config), threads=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert f"files: {min(hard, 2**16)}" in capfd.readouterr().out


def test_loading_beside_a_gpu_gives_every_utterance_once(run_jobs, tiny):
    run_jobs((dump := dump_by(tiny, ctc_training(tiny))).out_logits)
    folder = dump.out_logits.get_path()
    alone = list(read_hdf(folder))
    for shard in hdf_files(folder):
        os.remove(shard)
    dump.rqmt.update(cpu=3, gpu=1)  # RETURNN takes the CPU where there is no GPU
    _run_again(dump)
    beside = list(read_hdf(folder))
    assert [name for name, _ in beside] == [name for name, _ in alone]
    for (name, array), (_, expected) in zip(beside, alone, strict=True):
        np.testing.assert_allclose(array, expected, rtol=0.01, atol=0.01, err_msg=name)


def test_utterances_too_short_for_their_labels_are_named(run_jobs, tiny, archive, tmp_path):
    """At 24 frames 23 labels of which two neighbours are equal fit, and 24 do not."""
    from sisyphus import tk

    samples = 240 + 24 * 640
    archive(tmp_path / "spoken.zip", {name: np.zeros(samples) for name in ("fits", "fast")})
    with HdfWriter(tmp_path / "labels.hdf", labels=phonemes().labels) as writer:
        for name, size in (("fits", 23), ("fast", 24)):
            writer.add(name, np.array([5, *range(size - 2), size - 3], "int32"))
    spoken, targets = (tk.Path(str(tmp_path / name)) for name in ("spoken.zip", "labels.hdf"))
    training = replace(TRAINING, learning_rates=(1e-3,), keep_epochs=())
    criterion = {"kd_scale": 0.0}
    job = on_cpu(
        TrainJob(
            model=tiny.student,
            criterion=criterion,
            training=training,
            audio=[spoken],
            dev_audio=spoken,
            labels=targets,
            dev_labels=targets,
        )
    )
    run_jobs(job.out_curves)
    with open(os.path.join(os.path.dirname(job.work_path()), "log.run.1")) as log:
        notes = [text for line in log if (text := line.partition("note: ")[2].strip())]
    assert len(notes) == 2
    assert notes[0].startswith(f"1 utterances of {targets} have fewer frames than CTC needs")
    assert notes[0].endswith("their CTC loss counts as 0: fast (24 of 25)")


def _run_again(job):
    """Start the job's task once more in its work folder, as the manager does after a kill."""
    here = os.getcwd()
    os.chdir(job.work_path())
    try:
        job.run()
    finally:
        os.chdir(here)
