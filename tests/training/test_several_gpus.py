"""Training in several processes gives what training in one gives, and ends when one of them is gone."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from patience import PATIENCE, wait_until

from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.nn.losses import ctc_loss, kd_loss, one_process
from ctc_kd.store import HdfWriter
from ctc_kd.training import train_config
from ctc_kd.training.build import with_two_heads
from ctc_kd.training.run_returnn import RECIPES
from ctc_kd.training.several_gpus import num_processes, sum_over_processes, update_options
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig

STUDENT = {  # no SpecAugment, no dropout
    "class": "StudentCtc",
    "num_labels_with_blank": 79,
    "spec_augment": None,
    "frontend": {"channels": [2, 2, 2, 2]},
    "conformer": {
        "num_layers": 1,
        "dim": 16,
        "num_heads": 2,
        "feed_forward_dim": 16,
        "kernel_size": 3,
        "dropout": 0.0,
    },
}
CRITERION = {"kd_scale": 0.4, "selection": {"rule": "symmetric", "parameters": {"n": 1}}}

SELF_DISTILLED = {
    "model": with_two_heads({**STUDENT, "conformer": {**STUDENT["conformer"], "num_layers": 2}}, 1),
    "criterion": {
        "class": "SelfDistillationLoss",
        "alpha": {"clipped_line": 0.3},
        "selection": {"rule": "symmetric", "parameters": {"n": 1}},
    },
}


@pytest.mark.parametrize(("parts", "processes"), [(1, 2), (1, 4), (5, 2), (8, 1)])
def test_sub_epochs_and_processes_have_nearly_as_much_audio(monkeypatch, parts, processes):
    """Of RETURNN's own order: a sub-epoch ends when the first process has no more."""
    from returnn.datasets.generating import StaticDataset

    durations = np.random.default_rng(1).gamma(4, 20, 3000).astype(int) + 1
    monkeypatch.setattr(train_config, "utterance_durations", lambda archives: dict.fromkeys(range(len(durations))))
    monkeypatch.setattr(StaticDataset, "supports_sharding", lambda self: True)
    config = TrainingConfig((0.01,), partition_epoch=parts, batch_seconds=10.0)
    assert train_config.seq_ordering(replace(config, partition_epoch=1), [], 1) == "laplace:.1000"
    order = train_config.seq_ordering(config, [], processes)
    heard = []
    for epoch, index in itertools.product(range(1, parts + 1), range(processes)):
        dataset = StaticDataset(
            [{"data": np.zeros((duration, 1), np.int8)} for duration in durations],
            output_dim={"data": (1, 2)},
            seq_ordering=order,
            partition_epoch=parts,
            _num_shards=processes,
            _shard_index=index,
        )
        dataset.init_seq_order(epoch=epoch)
        heard.append(sum(dataset.get_seq_length(number)["data"] for number in range(dataset.num_seqs)))
    assert max(heard) < 1.1 * min(heard)


def training(*, num_epochs=2, **fields):
    """One update in a sub-epoch: the same utterances in it, whatever the number of processes.

    Updates are proportional to gradients: Adam's would be the same for every scale of them.
    """
    return TrainingConfig(
        (0.01,) * num_epochs, partition_epoch=2, batch_seconds=10.0, optimizer={"class": "sgd"}, **fields
    )


@pytest.fixture
def data(tmp_path, archive):
    """``data(size, shortest_s)`` writes a training set of utterances from ``shortest_s`` to one second."""
    from sisyphus import tk

    def write(size, shortest_s):
        rng = np.random.default_rng(0)
        paths = {}
        teacher = HdfWriter(tmp_path / "teacher.hdf", labels=phonemes(79).labels, metadata={"frame_shift_s": 0.04})
        with teacher:
            for part, number in (("train", size), ("dev", 4)):
                lengths = rng.integers(int(16000 * shortest_s), 16001, number)
                audio = {f"{part}-{i:02d}": 0.1 * rng.standard_normal(length) for i, length in enumerate(lengths)}
                archive(tmp_path / f"{part}.zip", audio)
                with HdfWriter(tmp_path / f"{part}_labels.hdf", labels=phonemes().labels) as writer:
                    for name, samples in audio.items():
                        writer.add(name, rng.integers(0, 78, rng.integers(1, 6)).astype("int32"))
                        teacher.add(name, 3 * rng.standard_normal((len(samples) // 640, 79)).astype("float16"))
                paths[part] = tk.Path(str(tmp_path / f"{part}.zip"))
                paths[f"{part}_labels"] = tk.Path(str(tmp_path / f"{part}_labels.hdf"))
        return SimpleNamespace(**paths, teacher=tk.Path(str(tmp_path / "teacher.hdf")))

    return write


def train_job(data, config, *, gpus, model=STUDENT, criterion=CRITERION):
    job = TrainJob(
        model=model,
        criterion=criterion,
        training=config,
        audio=[data.train],
        dev_audio=data.dev,
        labels=data.train_labels,
        dev_labels=data.dev_labels,
        teacher_logits=data.teacher,
    )
    job.rqmt.update(cpu=1, gpu=gpus)
    return job


def scores(job):
    with open(job.out_curves.get_path()) as file:
        return [entry["scores"] for entry in json.load(file)]


def parameters(job):
    return torch.load(f"{job.out_models.get_path()}/epoch.002.pt", weights_only=True)["model"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "shortest_s", "accumulate", "gpus", "trained"),
    [(20, 0.5, 1, 2, SELF_DISTILLED), (40, 0.95, 2, 0, {})],
    ids=["each batch split, read beside a GPU, two heads", "whole batches"],
)
def test_two_processes_train_what_one_trains(
    run_here, data, tmp_path, monkeypatch, size, shortest_s, accumulate, gpus, trained
):
    monkeypatch.setattr(train_config, "seq_ordering", lambda *_: "laplace:4")  # the same utterances meet in a batch
    config, files = training(accumulate=accumulate), data(size, shortest_s)
    alone = run_here(train_job(files, config, gpus=0, **trained))
    expected_scores, expected = scores(alone), parameters(alone)
    shutil.rmtree(tmp_path / "work")

    monkeypatch.setattr("ctc_kd.training.several_gpus.num_processes", lambda _: 2)
    together = run_here(train_job(files, config, gpus=gpus, **trained))
    assert together.job_id() == alone.job_id()
    assert "torch_distributed" in Path(together.out_config.get_path()).read_text()
    for wanted, found in zip(expected_scores, scores(together), strict=True):
        assert found == pytest.approx(wanted, rel=1e-5)
    for name, value in parameters(together).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.slow
def test_a_killed_process_ends_the_others_and_the_next_run_goes_on_with_any_number(run_here, data, tmp_path):
    job = train_job(data(20, 0.5), training(num_epochs=12), gpus=2)
    of_other_tests = psutil.Process().children(recursive=True)  # multiprocessing keeps one
    killer = threading.Thread(target=kill_second_process, args=(tmp_path,))
    killer.start()
    with pytest.raises(subprocess.CalledProcessError) as error:
        run_here(job)
    killer.join()
    assert error.value.returncode == 137  # what engines take for a job that can go on
    ours = set(psutil.Process().children(recursive=True)) - set(of_other_tests)
    _, alive = psutil.wait_procs(ours, timeout=PATIENCE)
    assert not alive
    finished = [entry for entry in os.listdir(job.out_models.get_path()) if re.fullmatch(r"epoch\.\d+\.pt", entry)]
    assert finished and "epoch.012.pt" not in finished

    job.rqmt["gpu"] = 0
    run_here(job)
    assert [len(scores(job)), job.completed_fraction()] == [12, 1.0]


def kill_second_process(folder):
    """When the second checkpoint is there."""
    wait_until(lambda: list(folder.rglob("epoch.002.pt")))
    for process in psutil.Process().children(recursive=True):
        if "ctc_kd.training.run_returnn" in process.cmdline() and process.environ().get("RANK") == "1":
            process.kill()


@pytest.mark.slow
def test_processes_end_with_the_worker_that_started_them(tmp_path):
    (tmp_path / "config.py").write_text(
        "import os, time\nopen(f'{os.getpid()}.started', 'w').close()\ntime.sleep(100_000)\n"
    )
    code = "from ctc_kd.training.run_returnn import run_returnn; run_returnn('config.py', threads=1, processes=2)"
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": RECIPES})
    wait_until(lambda: len(list(tmp_path.glob("*.started"))) == 2)
    others = psutil.Process(worker.pid).children(recursive=True)
    worker.kill()
    worker.wait()
    assert len(others) >= 3  # two and their launcher
    assert not psutil.wait_procs(others, timeout=PATIENCE)[1]


@pytest.mark.parametrize(
    ("requested", "visible", "processes"),
    [
        (None, None, 1),
        (0, "", 1),
        (1, "0,1,2", 1),
        (0.5, "0", 1),
        (4, "0,1,2,3", 4),
        (4, "GPU-5c,GPU-8a", 2),
        (3, "0,-1,1", 1),
        (2, "", 2),
        (2, "-1", 2),
        (2, "NoDevFiles", 2),
        (2, None, 2),
    ],
)
def test_a_process_for_each_gpu_that_was_asked_for_and_given(monkeypatch, requested, visible, processes):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("ctc_kd.machine.glob.glob", lambda _: [])
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert num_processes({"cpu": 4} if requested is None else {"cpu": 4, "gpu": requested}) == processes


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
@pytest.mark.parametrize("accumulate", [1, 2, 3, 4])
def test_an_update_is_of_as_much_audio_for_any_number_of_processes(processes, accumulate):
    options = update_options(training(accumulate=accumulate), processes)
    samples = options["batch_size"]["audio"] * options["accum_grad_multiple_step"] * processes
    assert samples == pytest.approx(accumulate * 10 * 16000, abs=accumulate * processes)


def test_a_count_is_not_changed_by_its_sum(monkeypatch):
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.mul_(3))
    count = torch.tensor(5)
    assert [int(sum_over_processes(count)) for _ in range(2)] == [15, 15]


@pytest.mark.parametrize("normalisation", ["selected_frames", "batch_times_labels"])
def test_losses_of_the_parts_of_a_batch_add_up(normalisation):
    """With the totals of the whole batch, whatever each part has of it."""
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 5, 12, 7)
    mask = torch.rand(5, 12) < torch.tensor([0.1, 0.9, 0.5, 0.0, 1.0])[:, None]
    targets, lengths, target_lengths = torch.randint(0, 6, (5, 4)), torch.full((5,), 12), torch.tensor([1, 4, 2, 3, 1])

    def losses(part, over_processes):
        options = {"temperature": 2.0, "normalisation": normalisation, "num_labels": target_lengths[part].sum()}
        kd = kd_loss(student[part], teacher[part], mask[part], **options, over_processes=over_processes)
        ctc = ctc_loss(
            student[part], lengths[part], targets[part], target_lengths[part], blank=6, over_processes=over_processes
        )
        return torch.stack([kd, ctc])

    counts = []
    for part in (parts := (slice(0, 2), slice(2, 5))):
        counts.append([])
        losses(part, lambda count: counts[-1].append(count) or torch.as_tensor(count))
    totals = [torch.as_tensor(sum(pair)) for pair in zip(*counts, strict=True)]
    summed = 0
    for part in parts:
        given = iter(totals)
        summed += losses(part, lambda _, given=given: next(given))
    torch.testing.assert_close(summed, losses(slice(None), one_process))
