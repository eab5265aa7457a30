"""How a config names a finished teacher."""

import shutil

import pytest

from ctc_kd.experiments.finished import ENDS, own_teacher
from ctc_kd.training.model_inventory import ModelInventoryJob


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "model.safetensors").write_bytes(bytes(2 * ENDS + 100))
    return tmp_path / "model"


def job_id(name):
    return ModelInventoryJob(model=own_teacher(str(name))).job_id()


def test_a_folder_is_known_by_its_content(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert job_id(folder) == job_id(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert job_id("model") == job_id(folder)
    with open(folder / "model.safetensors", "r+b") as file:
        file.seek(-5, 2)
        file.write(b"other")
    assert job_id(folder) != job_id(tmp_path / "elsewhere")


def test_other_names():
    assert own_teacher("hama") == {"class": "HamaCtc"}
    assert own_teacher("some/model") == {"class": "TransformersCtc", "model": "some/model"}


@pytest.mark.parametrize("name", ["/no/such/model", "./nothing", "~/nothing"])
def test_a_path_without_model_is_refused(name):
    with pytest.raises(FileNotFoundError, match="no config.json, expected a folder with a CTC model of transformers"):
        own_teacher(name)
