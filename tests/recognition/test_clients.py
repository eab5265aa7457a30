"""The folder of a student, opened by transformers: the same logits and the same text, without this pipeline."""

import ast
import os
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from ctc_kd.nn.masking import valid_frames
from ctc_kd.recognition import clients, folder, modeling_ctc_kd
from ctc_kd.training.build import build_model
from random_student import INVENTORIES, best_path, random_student, speech
from tiny_encoders import STABLE

LETTERS = INVENTORIES["characters"]


def write(path, model, inventory):
    literal = {"class": "StudentCtc", **asdict(model.cfg)}
    weights, decoding = model.state_dict(), folder.Decoding()
    folder.write(path, model=literal, weights=weights, inventory=inventory, decoding=decoding, card="# A student\n")


@pytest.fixture
def pipeline(monkeypatch, tmp_path):
    """``transformers.pipeline`` for speech recognition, whose copies of remote code stay in the test's folder."""
    import transformers

    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    kind = {"task": "automatic-speech-recognition", "trust_remote_code": True}
    return lambda path, **options: transformers.pipeline(model=path, **kind, **options)


@pytest.mark.parametrize("inventory", INVENTORIES.values(), ids=INVENTORIES)
def test_the_pipeline_of_transformers_prints_the_labels_of_the_best_path(pipeline, inventory, tmp_path):
    model, path = random_student(), str(tmp_path / "student")
    write(path, model, inventory)
    clients.add_transformers(path, folder.read(path))
    recognise = pipeline(path)
    audio = [speech(num_samples) for num_samples in (32000, 9000, 20000)]
    expected = [best_path(model, samples, inventory) for samples in audio]
    assert all(expected)
    inputs = [samples.numpy() for samples in audio]
    for batch_size in (1, 3):
        texts = [" ".join(found["text"].split()) for found in recognise(inputs, batch_size=batch_size)]
        assert texts == expected
    assert recognise(inputs[0][:500])["text"] == ""
    assert pipeline(path, dtype=torch.float16)(inputs[0])["text"] == recognise(inputs[0])["text"]


@pytest.mark.parametrize(("subsampling", "normalise"), [(4, False), (2, True), (8, True)])
def test_remote_code_gives_the_logits_of_the_student(subsampling, normalise):
    model = random_student(subsampling=subsampling, normalise=normalise)
    ratio = 160 * subsampling
    config = modeling_ctc_kd.CtcKdConfig(
        model=asdict(model.cfg), vocab_size=7, pad_token_id=2, inputs_to_logits_ratio=ratio
    )
    theirs = modeling_ctc_kd.CtcKdForCTC(config).eval()
    theirs.load_state_dict(model.state_dict())
    audio, lengths = speech(3, 20000), torch.tensor([20000, 9000, 300])
    audio = audio * valid_frames(lengths, 20000)
    with torch.no_grad():
        expected, frames = model(audio, lengths)
        logits = theirs(audio, valid_frames(lengths, 20000).int()).logits
        torch.testing.assert_close(theirs(audio[:1]).logits, logits[:1], atol=1e-4, rtol=1e-4)
    assert logits.shape == expected.shape
    valid = valid_frames(frames, logits.shape[1])
    torch.testing.assert_close(logits[valid], expected[valid], atol=1e-3, rtol=1e-3)
    assert (logits[~valid].argmax(dim=-1) == 2).all()


def test_remote_code_needs_torch_and_transformers_alone():
    tree = ast.parse(Path(modeling_ctc_kd.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert {name.partition(".")[0] for name in names} == {"math", "functools", "torch", "transformers"}


def test_a_folder_with_clients_is_still_the_student_s(tmp_path):
    model, path = random_student(), str(tmp_path / "student")
    write(path, model, LETTERS)
    clients.add_clients(path)
    found = folder.read(path)
    assert found.inventory == LETTERS
    assert all(map(torch.equal, found.model.state_dict().values(), model.state_dict().values()))
    assert {"model.onnx", "model.int8.onnx", "tokens.txt", "modeling_ctc_kd.py"} < set(os.listdir(path))
    assert not any(str(tmp_path).encode() in file.read_bytes() for file in Path(path).iterdir())


def test_only_students_have_clients(tmp_path):
    encoder = {"model_type": "hubert", **STABLE}
    literal = {"class": "SpeechEncoderCtc", "encoder": encoder, "num_labels_with_blank": len(LETTERS.labels)}
    weights, path = build_model(literal).state_dict(), str(tmp_path / "teacher")
    folder.write(path, model=literal, weights=weights, inventory=LETTERS, decoding=folder.Decoding(), card="# A\n")
    with pytest.raises(ValueError, match='a SpeechEncoderCtc, but only a StudentCtc has files .*"waveform": "plain"'):
        clients.add_clients(path)
