"""Which checkpoint of a training is used."""

import json

import pytest
import torch
from sisyphus import tk

from ctc_kd.training.checkpoints import AverageCheckpointsJob, SelectCheckpointJob

DEV_LOSSES = [3.0, 1.0, 2.0, 1.5, 1.7]


@pytest.fixture
def training(tmp_path):
    """Five checkpoints of which the third was not kept; ``weight`` holds the sub-epoch's number."""
    (tmp_path / "models").mkdir()
    for epoch in (1, 2, 4, 5):
        model = {"weight": torch.full((2,), float(epoch)), "steps": torch.tensor(epoch)}
        torch.save({"model": model}, tmp_path / "models" / f"epoch.{epoch:03d}.pt")
    curves = [{"epoch": epoch, "scores": {"dev_loss_ctc": loss}} for epoch, loss in enumerate(DEV_LOSSES, 1)]
    (tmp_path / "curves.json").write_text(json.dumps(curves))
    return {"models": tk.Path(str(tmp_path / "models")), "curves": tk.Path(str(tmp_path / "curves.json"))}


def test_mean_of_the_best_kept_checkpoints(run_here, training):
    job = AverageCheckpointsJob(**training, score="dev_loss_ctc", num=3)
    assert job.best_epochs() == [2, 4, 5]
    model = torch.load(run_here(job).out_checkpoint.get_path(), weights_only=True)["model"]
    torch.testing.assert_close(model["weight"], torch.full((2,), (2 + 4 + 5) / 3))
    assert model["steps"] == 2  # counters are not averaged


def test_too_few_checkpoints_are_an_error(run_here, training):
    with pytest.raises(ValueError, match="4 checkpoints with a dev_loss_ctc, expected 5.*keep_best"):
        run_here(AverageCheckpointsJob(**training, score="dev_loss_ctc", num=5))


def test_lowest_word_error_rate_wins_and_of_equal_ones_the_latest(run_here, training, tmp_path):
    grids = []
    for name, wers in (("first", [9.0, 8.0]), ("second", [7.0, 12.0]), ("third", [7.0, 7.5])):
        (tmp_path / name).write_text(json.dumps([{"wer": wer} for wer in wers]))
        grids.append(tk.Path(str(tmp_path / name)))
    checkpoints = [training["models"].join_right(f"epoch.{epoch:03d}.pt") for epoch in (1, 2, 4)]
    job = run_here(SelectCheckpointJob(checkpoints=checkpoints, grids=grids))
    assert torch.load(job.out_checkpoint.get_path(), weights_only=True)["model"]["steps"] == 4
    assert job.out_wer.get() == 7.0
