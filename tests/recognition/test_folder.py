"""The folder of a student: what is written is read, and each damage is one error that names the file."""

import json
import os

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ctc_kd.recognition import folder
from ctc_kd.training.build import build_model


def change_config(written, change):
    path = written / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def change_weights(written, change):
    weights = load_file(written / "model.safetensors")
    change(weights)
    save_file(weights, written / "model.safetensors")


def truncate(name):
    def damage(written):
        path = written / name
        os.truncate(path, path.stat().st_size // 2)

    return damage


def test_what_is_written_is_read(student):
    found = folder.read(student.written)
    model = build_model(student.model).eval()
    model.load_state_dict(student.weights)
    audio, lengths = torch.randn(2, 8000), torch.tensor([8000, 6000])
    with torch.inference_mode():
        assert torch.equal(found.model(audio, lengths)[0], model(audio, lengths)[0])
    assert found.inventory == student.inventory
    assert (found.decoding.lm_scale, found.decoding.prior_scale) == (0.5, 0.25)
    assert found.decoding.search == student.decoding.search
    assert found.log_prior.tolist() == [-1, -2, -3, -4, -5]
    assert found.facts == {"row": "all-l1"}
    assert (student.written / "README.md").read_text() == "# A student\n"


def test_nothing_in_a_folder_names_the_machine(student, tmp_path):
    for file in student.written.iterdir():
        assert os.fsencode(tmp_path) not in file.read_bytes(), file.name


def test_a_folder_may_move(student, tmp_path):
    moved = student.written.rename(tmp_path / "elsewhere")
    for name in ("words", "ngram.arpa", "prior"):
        (tmp_path / name).unlink()
    decoding = folder.read(moved).decoding
    assert [os.path.dirname(path) for path in (decoding.lexicon, decoding.lm, decoding.log_prior)] == [str(moved)] * 3


def test_only_files_that_the_decoding_uses(student, tmp_path):
    plain = {**vars(student), "decoding": folder.Decoding()}
    del plain["written"]
    folder.write(tmp_path / "greedy", **plain)
    assert {file.name for file in (tmp_path / "greedy").iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert not np.any(folder.read(tmp_path / "greedy").log_prior)


def another_version(written):
    change_config(written, lambda config: config.update(format=2))


def other_labels(written):
    change_config(written, lambda config: config["inventory"].update(labels=["|", "A", "B", "_"], blank=3))


def other_outputs(written):
    change_config(written, lambda config: config["model"].update(num_labels_with_blank=6))
    change_config(written, lambda config: config["inventory"]["labels"].append("D"))


def another_lexicon(written):
    change_config(written, lambda config: config["decoding"].update(lexicon="../words"))


DAMAGES = {
    "format 2, expected 1": ("config.json", another_version),
    "4 labels, expected 5": ("config.json", other_labels),
    r"output.bias: shape \[5\], but the model of config.json has shape \[6\]": (
        "model.safetensors",
        other_outputs,
    ),
    "output.bias: no tensor, but": (
        "model.safetensors",
        lambda written: change_weights(written, lambda weights: weights.pop("output.bias")),
    ),
    "no such file": ("lm.kenlm", lambda written: (written / "lm.kenlm").unlink()),
    "no such file, expected": ("model.safetensors", lambda written: (written / "model.safetensors").unlink()),
    "damaged": ("model.safetensors", truncate("model.safetensors")),
    "no JSON": ("config.json", truncate("config.json")),
    "expected 5 finite": ("log_prior.txt", truncate("log_prior.txt")),
    "decoding names another lexicon": ("config.json", another_lexicon),
    "'decoding' is missing": (
        "config.json",
        lambda written: change_config(written, lambda config: config.pop("decoding")),
    ),
    "'sample_rate_hz' is missing": (
        "config.json",
        lambda written: change_config(written, lambda config: config.pop("sample_rate_hz")),
    ),
    "unexpected keyword": (
        "config.json",
        lambda written: change_config(written, lambda config: config["model"].update(depth=3)),
    ),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_each_damage_is_one_line_that_names_the_file(message, student):
    name, damage = DAMAGES[message]
    damage(student.written)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        folder.read(student.written)
    assert str(error.value).startswith(str(student.written / name))
    assert "\n" not in str(error.value)


def test_a_model_that_needs_another_package(student, monkeypatch):
    def build(literal):
        raise ModuleNotFoundError(name="transformers")

    monkeypatch.setattr(folder, "build_model", build)
    with pytest.raises(
        ValueError, match=r"/student: a StudentCtc needs transformers: pip install 'CHECKOUT\[export\]'"
    ):
        folder.read(student.written)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent: no such folder"):
        folder.read(tmp_path / "absent")


def test_a_model_that_names_a_path_is_not_written(student, tmp_path):
    model = {"class": "SpeechEncoderCtc", "encoder": "/models/hubert", "num_labels_with_blank": 5}
    with pytest.raises(ValueError, match="names the path /models/hubert"):
        folder.write(
            tmp_path / "teacher",
            model=model,
            weights={},
            inventory=student.inventory,
            decoding=folder.Decoding(),
            card="",
        )
    assert not (tmp_path / "teacher").exists()
