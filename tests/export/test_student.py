"""The student that dev prefers becomes a folder that says what it is."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from sisyphus import tk
from transformers import HubertConfig, HubertModel

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.export.student import ExportStudentJob
from ctc_kd.files import write_json
from ctc_kd.inventory import Inventory, write_inventory
from ctc_kd.recognition import folder
from ctc_kd.recognition.recogniser import Recogniser
from ctc_kd.report import names
from ctc_kd.report.record import Record, Score
from ctc_kd.training.build import build_model
from random_student import random_student
from tiny_encoders import STABLE

LABELS = Inventory("characters", ("|", "A", "B", "C", "D", "E", "[blank]"), 6, "upper", "|")
SAMPLES = np.random.default_rng(0).standard_normal(30_000).astype("float32")


def record(row, method, weight, *, dev, test=None, parameter=None, **fields):
    def score(wer):
        return Score(wer, 1, 1, 1, words=500, utterances=50)

    values = {"temperature": 2.0, "normalisation": "selected_frames", "published": None, "training_seconds": 60.0}
    values |= {"corpus": "island", "preset": "small", "seed": 42, "epochs": 3, "num_parameters": 7}
    values |= {"lm_scale": 0.0, "prior_scale": 0.0, "uses_transcripts": weight != 1}
    values |= {"job_ids": {"training": f"TrainJob.{row}"}}
    scores = {"dev": score(dev), "test": test and score(test)}
    return Record(row=row, method=method, weight=weight, parameter=parameter, **{**values, **scores, **fields})


RECORDS = [
    record("teacher", "teacher", None, dev=5.0, test=6.0),
    record("baseline", "baseline", None, dev=20.0, test=21.0),
    record("symmetric-n1-l1", "symmetric", 1.0, dev=12.0, parameter=1),
    record("symmetric-n2-l1", "symmetric", 1.0, dev=11.0, parameter=2, prior_scale=0.5),
    record("symmetric-n2-l1", "symmetric", 1.0, dev=11.0, test=13.0, parameter=2, prior_scale=0.5),
    record("all-l0.9", "all", 0.9, dev=11.5, test=10.0),
]
"""Dev chose n = 2, whose record is there once more with its score on test. All wins on test, which must not matter."""


@pytest.fixture
def inputs(tmp_path):
    def path(name):
        return tk.Path(str(tmp_path / name))

    write_inventory(str(tmp_path / "inventory"), LABELS)
    (tmp_path / "prior").write_text("-2\n" * 7)
    records = []
    for number, one in enumerate(RECORDS):
        write_json(str(tmp_path / f"{number}.json"), one.to_json())
        records.append(path(f"{number}.json"))
    student = random_student()
    literal = {"class": "StudentCtc", **asdict(student.cfg)}
    del literal["num_labels_with_blank"]
    candidates = {}
    for number, row in enumerate(["symmetric-n1-l1", "symmetric-n2-l1", "all-l0.9"]):
        state = {name: weight + number for name, weight in student.state_dict().items()}
        torch.save({"model": state, "epoch": 3}, tmp_path / f"{row}.pt")
        candidates[row] = {"model": literal, "checkpoint": path(f"{row}.pt"), "prior": path("prior")}
    significance = {"wer": {"symmetric-l1": 13.0}, "intervals": {"symmetric-l1": [11.25, 14.75]}}
    write_json(str(tmp_path / "significance"), significance)
    return {
        "candidates": candidates,
        "records": records,
        "inventory": path("inventory"),
        "lexicon": None,
        "lm": None,
        "search": SearchConfig(beam_size=9),
        "teacher": "hubert-of-the-island",
        "notes": ["Recorded on an island."],
        "significance": path("significance"),
    }


@pytest.fixture
def exported(run_here, inputs):
    """``exported(**changes)``: the folder that the job writes."""
    return lambda **changes: Path(run_here(ExportStudentJob(**{**inputs, **changes})).out_student.get_path())


def test_the_best_row_on_dev_with_its_scales(exported, capsys):
    found = exported()
    student = folder.read(found)
    assert "exported symmetric-n2-l1, 11.00 % on dev" in capsys.readouterr().out
    assert torch.equal(student.model.output.bias, random_student().output.bias + 1)
    assert (student.inventory, student.decoding.prior_scale, student.decoding.search.beam_size) == (LABELS, 0.5, 9)
    assert student.log_prior.tolist() == [-2.0] * 7
    assert student.facts["row"] == "symmetric-n2-l1" and student.facts["test"]["wer"] == 13.0
    Recogniser.from_folder(found).transcribe(SAMPLES)


def test_a_row_by_name(exported, inputs):
    student = folder.read(exported(candidates={"all-l0.9": inputs["candidates"]["all-l0.9"]}))
    assert student.facts["row"] == "all-l0.9" and student.decoding.log_prior is None


def test_nothing_names_the_machine_that_made_it(exported, tmp_path):
    for file in exported().iterdir():
        assert str(tmp_path).encode() not in file.read_bytes(), file.name


def test_the_card_says_what_it_is(exported):
    card = (exported() / "README.md").read_text()
    assert "| Symmetric selection with n = 2 at λ = 1.0 | 11.0 | 13.0 |" in card
    assert "| The teacher | 5.0 | 6.0 |" in card and "| The CTC baseline | 20.0 | 21.0 |" in card
    assert "The 95 % interval over speakers is 11.2 to 14.8." in card
    assert "hubert-of-the-island" in card and "read no transcript." in card and "Recorded on an island." in card
    size = names.count(sum(parameter.numel() for parameter in random_student().parameters()))
    assert re.search(rf"\n{size} parameters, .* takes the acoustic model [\d.]+ ms on one thread of \S", card)
    assert "TrainJob.symmetric-n2-l1" in card and "ExportStudentJob." in card
    assert "    pip install CHECKOUT  " in card and "lexicon.txt" not in card and "model.onnx" in card


def test_an_interval_of_other_hypotheses_is_not_shown(exported, tmp_path):
    write_json(str(tmp_path / "significance"), {"wer": {"symmetric-l1": 13.2}, "intervals": {"symmetric-l1": [1, 2]}})
    card = (exported() / "README.md").read_text()
    assert "interval" not in card


def test_a_pretrained_encoder_leaves_with_its_configuration(exported, inputs, tmp_path):
    HubertModel(HubertConfig(**STABLE)).half().save_pretrained(tmp_path / "hubert")
    literal = {"class": "SpeechEncoderCtc", "encoder": tk.Path(str(tmp_path / "hubert")), "pooling": 8}
    torch.manual_seed(1)
    model = build_model({**literal, "encoder": str(tmp_path / "hubert"), "num_labels_with_blank": 7}).eval()
    torch.save({"model": model.state_dict()}, tmp_path / "teacher.pt")
    checkpoint = tk.Path(str(tmp_path / "teacher.pt"))
    candidate = {**inputs["candidates"]["all-l0.9"], "model": literal, "checkpoint": checkpoint}
    moved = exported(candidates={"all-l0.9": candidate})
    config = (moved / "config.json").read_text()
    assert str(tmp_path) not in config and json.loads(config)["model"]["encoder"]["model_type"] == "hubert"
    card = (moved / "README.md").read_text()
    assert "model.onnx" not in card and "    pip install 'CHECKOUT[export]'  " in card
    found = Recogniser.from_folder(moved).log_posteriors(SAMPLES)
    with torch.inference_mode():
        logits, _ = model(torch.from_numpy(SAMPLES)[None], torch.tensor([len(SAMPLES)]))
    np.testing.assert_allclose(found, logits[0].log_softmax(dim=-1).numpy(), atol=1e-5)


def test_rows_without_records(run_here, inputs):
    inputs["candidates"]["trim-l1"] = inputs["candidates"]["all-l0.9"]
    with pytest.raises(ValueError, match="there is no record of the row trim-l1; the records are of teacher, "):
        run_here(ExportStudentJob(**inputs))
    with pytest.raises(ValueError, match="no row to export"):
        ExportStudentJob(**{**inputs, "candidates": {}})
