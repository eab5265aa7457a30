"""Validation of pieces by a stub, killed and resumed."""

from dataclasses import asdict

import numpy as np
import pytest
import soundfile
import torch
from sisyphus import tk

from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
from ctc_kd.inventory import write_inventory
from ctc_kd.pseudo_labels import validators
from ctc_kd.pseudo_labels.corpus import PiecesCorpusJob
from ctc_kd.pseudo_labels.pieces import Piece, Segment, read_lines_of_json, write_pieces
from ctc_kd.pseudo_labels.validate import ValidateJob
from random_student import INVENTORIES, random_student, speech

PIECES = [
    Piece(name, "s", (Segment(start, start + 25, "Don’t STOP ❤️, 去 สวัสดี"),)) for name in "ab" for start in (0, 50)
]


@pytest.fixture
def inputs(tmp_path):
    cuts = []
    for number, name in enumerate("ab"):
        path = str(tmp_path / f"{name}.flac")
        soundfile.write(path, np.full(32000, 0.1 * (number + 1)), 16000)
        cuts.append(whole_recording_cut(name, audio=path, num_samples=32000, sample_rate_hz=16000, speaker=name))
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), cuts)
    write_pieces(str(tmp_path / "pieces.jsonl.gz"), PIECES)
    return {name: tk.Path(str(tmp_path / f"{name}.jsonl.gz")) for name in ("cuts", "pieces")}


def test_a_killed_validation_repeats_no_finished_recording(run_here, inputs, monkeypatch, tmp_path):
    heard, breaks = [], [2]

    def listen(samples):
        if len(heard) in breaks:
            breaks.clear()
            raise KeyboardInterrupt
        heard.append((round(float(samples.mean()), 1), len(samples)))
        return f"level {heard[-1][0]}", False

    monkeypatch.setattr(validators, "validator_of", lambda validator, threads: listen)
    job = ValidateJob(**inputs, validator={"kind": "student", "folder": "f"})
    with pytest.raises(KeyboardInterrupt):
        run_here(job)
    write_pieces(str(tmp_path / "pieces.jsonl.gz"), PIECES[2:] + PIECES[:2])  # made anew, in another order
    found = list(read_lines_of_json(run_here(job).out_validations.get_path()))
    assert [(one["id"], one["text"]) for one in found] == [
        ("b-00000000", "level 0.2"),
        ("b-00001000", "level 0.2"),
        ("a-00000000", "level 0.1"),
        ("a-00001000", "level 0.1"),
    ]
    assert heard == [(0.1, 8000)] * 2 + [(0.2, 8000)] * 2


def test_kept_pieces_are_utterances_with_words(run_here, inputs):
    job = run_here(PiecesCorpusJob(**inputs))
    (first, *_) = read_lines_of_json(job.out_cuts.get_path())
    assert (first["id"], first["start"], first["duration"]) == ("a-00000000", 0.0, 0.5)
    with open(job.out_transcripts.get_path()) as file:
        assert file.readline() == "a-00000000 don't stop 去 สวัสดี\n"


def test_a_model_that_was_trained_here_says_its_best_path(tmp_path):
    model, inventory, samples = random_student(subsampling=8), INVENTORIES["characters"], speech(1, 64000)
    torch.save({"model": model.state_dict()}, tmp_path / "epoch.pt")
    write_inventory(str(tmp_path / "inventory.json"), inventory)
    literal = {"class": "StudentCtc", **asdict(model.cfg)}
    del literal["num_labels_with_blank"]
    files = {"checkpoint": str(tmp_path / "epoch.pt"), "inventory": str(tmp_path / "inventory.json")}
    hear = validators.validator_of({"kind": "trained", "model": literal, **files}, threads=1)
    with torch.inference_mode():
        logits, _ = model(samples, torch.tensor([64000]))
    expected = inventory.text(inventory.collapsed(logits[0].argmax(dim=-1).tolist()))
    assert expected and hear(samples[0].numpy()) == (expected, False)
    assert hear(np.zeros(1500, "float32")) == ("", False), "which is less than a frame"


def test_phonemes_of_other_models_are_refused(monkeypatch):
    monkeypatch.setattr(
        "ctc_kd.lexicon.finished_vocabulary.transformers_inventory", lambda model: INVENTORIES["phonemes"]
    )
    with pytest.raises(ValueError, match="espeak says phonemes: of those only hama's can be compared"):
        validators.finished({"class": "TransformersCtc", "model": "espeak"})


def test_phonemes_of_a_model_that_was_trained_here_are_refused(tmp_path):
    write_inventory(str(tmp_path / "inventory.json"), INVENTORIES["phonemes"])
    with pytest.raises(ValueError, match=r"inventory\.json: .* says phonemes, .* train it on characters"):
        validators.trained({"class": "StudentCtc"}, "no checkpoint", str(tmp_path / "inventory.json"))
