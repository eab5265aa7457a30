"""Settings of a training: the order of its data, its precision."""

import ast
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ctc_kd.training import train_config
from ctc_kd.training.returnn_config import write_config
from ctc_kd.training.run_returnn import RECIPES
from ctc_kd.training.train_config import Inputs, check_updates, order_offset, precision_options, training_settings
from ctc_kd.training.training_config import TrainingConfig

ORDER = """
import sys
from returnn.config import Config, set_global_config
from returnn.datasets import init_dataset
for path in sys.argv[1:]:
    config = Config()
    config.load_file(path)
    set_global_config(config)
    data = init_dataset(config.typed_value("train"))
    data.init_seq_order(epoch=2)
    data.load_seqs(0, 20)
    print([data.get_tag(index) for index in range(20)])
"""


def test_another_seed_is_another_order_of_the_data(tiny, tmp_path):
    inputs = {
        part: Inputs([getattr(tiny, part).get_path()], getattr(tiny, f"{part}_labels").get_path(), None)
        for part in ("train", "dev")
    }
    rest = {"models": "models", "num_classes": 79, "keep_best": 0, "rqmt": {"cpu": 1}, "processes": 1}
    configs = []
    for seed in (42, 43):
        training = TrainingConfig((1e-3, 1e-3), partition_epoch=1, batch_seconds=4.0, seed=seed)
        settings = training_settings(training, **inputs, **rest)
        configs.append(str(tmp_path / f"{seed}.config"))
        write_config(configs[-1], settings=settings, steps=["get_model", "train_step"])
    environment = {**os.environ, "PYTHONPATH": RECIPES}
    output = subprocess.check_output([sys.executable, "-c", ORDER, *configs], env=environment, text=True)
    orders = [ast.literal_eval(line) for line in output.splitlines() if line.startswith("[")]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    assert order_offset(42) == 0
    assert 0 < order_offset(1) < 2**32 - 1000


def test_a_sub_epoch_that_is_shorter_than_an_update_is_refused(monkeypatch):
    monkeypatch.setattr(train_config, "utterance_durations", lambda archives: dict.fromkeys(range(20), 1.0))
    training = TrainingConfig((1e-3,) * 4, partition_epoch=2, batch_seconds=4.0, accumulate=2)
    check_updates(training, ["train.zip"])
    check_updates(replace(training, accumulate=3), ["train.zip"])
    with pytest.raises(ValueError, match="train.zip: 10 s in each of 2 sub-epochs, which fit into 3 batches"):
        check_updates(replace(training, accumulate=4), ["train.zip"])


@pytest.mark.parametrize("has_products", [True, False])
def test_bfloat16_only_where_the_hardware_multiplies_it(monkeypatch, has_products):
    monkeypatch.setattr(train_config, "multiplies_bfloat16", lambda: has_products)
    mixed = {"torch_amp": "bfloat16", "grad_scaler": None}
    assert precision_options("bfloat16", on_gpu=True) == mixed
    assert precision_options("bfloat16", on_gpu=False) == (mixed if has_products else {"torch_amp": None})
    assert precision_options(None, on_gpu=True) == {"torch_amp": None}
    assert precision_options("float16", on_gpu=True) == {"torch_amp": "float16"}  # RETURNN scales its losses
