"""The student of a finished model with the fewest errors becomes a folder."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from sisyphus import tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.export.distilled import ExportDistilledJob
from ctc_kd.inventory import write_inventory
from ctc_kd.recognition import folder
from ctc_kd.recognition.recogniser import Recogniser
from random_student import INVENTORIES, random_student

SAMPLES = np.random.default_rng(0).standard_normal(30_000).astype("float32")


@pytest.fixture
def exported(run_here, tmp_path):
    """``exported({"A": 12.0}, prior_scale=0.5)``: errors of the students, and what dev chose for all of them."""

    def path(name):
        return tk.Path(str(tmp_path / name))

    def run(errors, **scales):
        student, candidates = random_student(), {}
        write_inventory(str(tmp_path / "inventory"), INVENTORIES["characters"])
        (tmp_path / "prior").write_text("-2\n" * len(INVENTORIES["characters"].labels))
        for number, (name, rate) in enumerate(errors.items()):
            state = {key: weight + number for key, weight in student.state_dict().items()}
            torch.save({"model": state, "epoch": 3}, tmp_path / f"{name}.pt")
            found = {"checkpoint": path(f"{name}.pt"), "prior": path("prior"), "errors": rate}
            literal = {"class": "StudentCtc", **asdict(student.cfg)}
            candidates[name] = {"model": literal, **found, "lm_scale": 0.0, "prior_scale": 0.0, **scales}
        about = {"measure": "errors on dev", "corpus": "the audio of an island", "teacher": "hubert-of-the-island"}
        files = {"inventory": path("inventory"), "lexicon": None, "lm": None}
        job = ExportDistilledJob(candidates=candidates, search=SearchConfig(), **files, **about)
        return Path(run_here(job).out_student.get_path())

    return run


def test_the_student_with_the_fewest_errors_transcribes(exported):
    found = exported({"KD": 12.0, "Symmetric": 11.0, "Elimination": 11.0}, prior_scale=0.5)
    student = folder.read(found)
    assert torch.equal(student.model.output.bias, random_student().output.bias + 1)
    assert student.decoding.prior_scale == 0.5 and set(student.log_prior.tolist()) == {-2.0}
    assert student.facts["errors"] == {"KD": 12.0, "Symmetric": 11.0, "Elimination": 11.0}
    card = (found / "README.md").read_text()
    assert "trained on the audio of an island" in card and "teacher of all students is hubert-of-the-island." in card
    assert "Of 3 students it has the fewest errors on dev: 11.0 %." in card and "Error rates" not in card
    Recogniser.from_folder(found).transcribe(SAMPLES)


def test_beside_a_teacher_that_is_silent_on_held_out_audio_the_first_is_exported(exported):
    found = exported({"KD": None, "Symmetric": None})
    assert folder.read(found).facts["student"] == "KD" and "errors on dev: – %." in (found / "README.md").read_text()
