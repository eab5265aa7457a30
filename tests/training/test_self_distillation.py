"""A training with two heads: its curves, resuming, and the student that leaves it, bit for bit."""

import os

import pytest
import torch

from cpu_jobs import on_cpu
from ctc_kd.files import read_json
from ctc_kd.training.build import build_model, with_two_heads
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig
from ctc_kd.training.truncate import TruncateJob

CRITERION = {"class": "SelfDistillationLoss", "alpha": {"clipped_line": 0.25}}


@pytest.mark.slow
def test_a_training_of_two_heads(run_here, tiny):
    conformer = {**tiny.student["conformer"], "num_layers": 2}
    model = with_two_heads({**tiny.student, "conformer": conformer}, 1)
    job = run_here(train_job(tiny, model))
    curves = read_json(job.out_curves.get_path())
    names = {f"{part}_loss_{loss}" for part in ("train", "dev") for loss in ("ctc", "ictc", "skd")}
    assert all(names <= set(entry["scores"]) for entry in curves)

    last = f"{job.out_models.get_path()}/epoch.002.pt"
    undisturbed = torch.load(last, weights_only=True)["model"]
    os.remove(last)  # as if killed in the second epoch, whose weight is another than that of the first
    job.run()
    resumed = torch.load(last, weights_only=True)["model"]
    assert resumed.keys() == undisturbed.keys()
    for name, value in undisturbed.items():
        assert torch.equal(value, resumed[name]), name

    whole = build_model({**model, "head": "intermediate"}).eval()
    whole.load_state_dict(undisturbed)
    truncation = run_here(TruncateJob(model=model, checkpoint=job.checkpoint()))
    plain = build_model(truncation.truncated).eval()
    assert plain.cfg.conformer.num_layers == 1
    plain.load_state_dict(torch.load(truncation.out_checkpoint.get_path(), weights_only=True)["model"])
    assert truncation.out_num_parameters.get() == sum(parameter.numel() for parameter in plain.parameters())
    audio, lengths = 0.1 * torch.randn(2, 16000), torch.tensor([16000, 9000])
    assert torch.equal(plain(audio, lengths)[0], whole(audio, lengths)[0])


def train_job(tiny, model):
    job = TrainJob(
        model=model,
        criterion=CRITERION,
        training=TrainingConfig((1e-3, 1e-3), partition_epoch=1, batch_seconds=4.0, keep_epochs=(1,)),
        audio=[tiny.train],
        dev_audio=tiny.dev,
        labels=tiny.train_labels,
        dev_labels=tiny.dev_labels,
    )
    return on_cpu(job)


def test_a_model_with_one_head_is_not_truncated(tiny):
    with pytest.raises(ValueError, match="a StudentCtc has one head, so there is nothing to truncate"):
        TruncateJob(model=tiny.student, checkpoint=tiny.train)
