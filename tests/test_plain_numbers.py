"""Numbers that were computed with NumPy count as Python's, in ids of jobs and in config files."""

import ast
from dataclasses import replace

import numpy as np
import pytest
from sisyphus.hash import short_hash

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.demo import DEMO
from ctc_kd.experiments.presets import Scales
from ctc_kd.experiments.rows import Row
from ctc_kd.plain_numbers import plain
from ctc_kd.training.returnn_config import write_config
from ctc_kd.training.training_config import TrainingConfig

RATES = [1e-4, 0.1 + 0.2]


def test_numbers_become_the_plain_ones_of_equal_value():
    found = plain({"a": [np.float64(0.1), (np.int64(3), np.bool_(True))], "b": np.array([1.5, 2]), "c": "text"})
    assert repr(found) == "{'a': [0.1, (3, True)], 'b': (1.5, 2.0), 'c': 'text'}"
    assert plain(np.float32(0.1)) == float(np.float32(0.1)) != 0.1


@pytest.mark.parametrize("rates", [np.array(RATES), tuple(np.array(RATES))], ids=["array", "tuple of numbers"])
def test_a_training_has_the_id_of_plain_numbers(rates):
    config, expected = (TrainingConfig(values, 1, batch_seconds=10.0) for values in (rates, tuple(RATES)))
    assert short_hash(config) == short_hash(expected)
    assert config == expected


@pytest.mark.parametrize(
    ("numpy", "python"),
    [
        (Row("symmetric", np.float64(0.9), np.int64(2)), Row("symmetric", 0.9, 2)),
        (Scales(lm=tuple(np.array([1.0, 1.4])), prior=np.array([0.0])), Scales(lm=(1.0, 1.4), prior=(0.0,))),
        (SearchConfig(beam_size=np.int32(8)), SearchConfig(beam_size=8)),
        (replace(DEMO, student={"dropout": np.float64(0.1)}), replace(DEMO, student={"dropout": 0.1})),
    ],
    ids=["row", "scales", "search", "preset"],
)
def test_what_a_config_declares_has_plain_numbers(numpy, python):
    assert short_hash(numpy) == short_hash(python)
    assert repr(numpy) == repr(python)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_config_file_has_plain_numbers(tmp_path, dtype):
    rates = np.array(RATES, dtype)
    path = tmp_path / "returnn.config"
    write_config(str(path), settings={"rates": list(rates), "model": {"dropout": rates[0]}}, steps=["get_model"])
    assigned = [line.partition(" = ")[::2] for line in path.read_text().splitlines() if " = " in line]
    values = {name: ast.literal_eval(text) for name, text in assigned}
    assert values["rates"] == rates.tolist()
    assert values["model"] == {"dropout": rates.tolist()[0]}
