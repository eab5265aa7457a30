"""How a config names a finished teacher."""

import shutil

import pytest
from sisyphus import tk

from ctc_kd.experiments.finished import ENDS, finished_teacher


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "model.safetensors").write_bytes(bytes(2 * ENDS + 100))
    return tmp_path / "model"


def ids(name, **options):
    teacher = finished_teacher(str(name), **options)
    return teacher.inventory.creator.job_id()


def test_a_folder_is_known_by_its_content(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert ids(folder) == ids(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert ids("model") == ids(folder)
    with open(folder / "model.safetensors", "r+b") as file:
        file.seek(-5, 2)
        file.write(b"other")
    assert ids(folder) != ids(tmp_path / "elsewhere")
    assert ids(folder) != ids(folder, pool="logits")


def test_other_names():
    assert finished_teacher("hama").model == {"class": "HamaCtc", "subsampling": 4}
    assert finished_teacher("some/model", subsampling=8).model["model"] == "some/model"
    made = tk.Path("made/by/a/job")
    assert finished_teacher(made, pool="hidden").model["model"] is made


@pytest.mark.parametrize("name", ["/no/such/model", "./nothing", "~/nothing"])
def test_a_path_without_model_is_refused(name):
    with pytest.raises(FileNotFoundError, match="no config.json, expected a folder with a CTC model of transformers"):
        finished_teacher(name)
