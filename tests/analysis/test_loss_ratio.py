"""The weight that gives a loss the share of another one, by hand."""

import pytest
from sisyphus import tk

from ctc_kd.analysis.loss_ratio import MatchedWeightJob
from ctc_kd.files import write_json


@pytest.fixture
def curves(tmp_path):
    """``curves("name", [(KD, CTC) of each sub-epoch])``"""

    def write(name, losses):
        path = tmp_path / name
        entries = [
            {"epoch": epoch, "scores": {f"train_loss_{kind}": value for kind, value in pair.items()}}
            for epoch, pair in enumerate(losses, start=1)
        ]
        write_json(str(path), entries)
        return tk.Path(str(path))

    return write


def test_both_losses_have_the_same_ratio_of_their_weighted_values(curves, run_here):
    ours = [curves(f"plain-{seed}", [{"kd": 1.0, "ctc": 4.0}, {"kd": 1.0, "ctc": 2.0}]) for seed in (1, 2)]
    like = [curves("symmetric", [{"kd": 3.0, "ctc": 4.0}, {"kd": 1.0, "ctc": 2.0}])]
    weight = run_here(MatchedWeightJob(weight=0.25, curves=ours, like=like)).out_weight.get()
    assert weight == 0.4  # 0.4 / 0.6 * 2 / 6 = 0.25 / 0.75 * 4 / 6
    assert run_here(MatchedWeightJob(weight=0.25, curves=like, like=like)).out_weight.get() == 0.25


def test_a_training_without_ctc_is_named(curves, run_here):
    both, alone = curves("both", [{"kd": 1.0, "ctc": 1.0}]), curves("alone", [{"kd": 1.0}])
    with pytest.raises(ValueError, match="alone: sub-epoch 1 has no train_loss_ctc; expected both losses"):
        run_here(MatchedWeightJob(weight=0.25, curves=[both], like=[both, alone]))
    with pytest.raises(ValueError, match="weight 1.0: expected a number between 0 and 1"):
        MatchedWeightJob(weight=1.0, curves=[both], like=[both])
