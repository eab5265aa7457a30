"""Finished CTC models: their logits are those of transformers, pooled to the student's frames, or they are refused."""

import json
import os
from pathlib import Path

import pytest
import torch

from ctc_kd.frames import SAMPLE_RATE_HZ, Layer, first_centre_s, num_frames, student_centre_s
from ctc_kd.nn.alone import batch_dependence, each_alone
from ctc_kd.nn.config import TransformersConfig
from ctc_kd.nn.ctc_models import frame_layers
from ctc_kd.nn.finished import TransformersCtc
from ctc_kd.nn.pooling import Pooling, fit
from finished_models import CHARACTERS, FAMILIES, PIECES, WITH_PIECES, save_model, their_logits

LENGTHS = (9000, 16000, 5555)
WINDOWS = {"parakeet, 80 ms": 8}
"""Windows of 10 ms per frame of a family; all others have 4 or fewer."""


NUM_CHARACTERS, NUM_PIECES = len(CHARACTERS), len(PIECES)


def finished(folder, *, num_labels=NUM_CHARACTERS, **options):
    return TransformersCtc(TransformersConfig(model=str(folder), num_labels_with_blank=num_labels, **options)).eval()


def num_labels(family):
    return NUM_PIECES if FAMILIES[family][0] in WITH_PIECES else NUM_CHARACTERS


@pytest.fixture
def hubert(tmp_path):
    return save_model(tmp_path / "stranger", "hubert")


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_transformers_for_every_utterance_of_a_batch(tmp_path, family):
    folder = save_model(tmp_path, family, mask="group norm" not in family)
    model = finished(folder, num_labels=num_labels(family), subsampling=None)
    assert model.pooling.factor == 1
    audio = 0.1 * torch.randn(len(LENGTHS), max(LENGTHS), generator=torch.Generator().manual_seed(0))
    forward = each_alone if batch_dependence(model) > 1e-3 else TransformersCtc.__call__
    logits, frames = forward(model, audio, torch.tensor(LENGTHS))
    for row, samples, length, found in zip(logits, audio, LENGTHS, frames.tolist(), strict=True):
        theirs = their_logits(folder, samples[:length])[model.pooling.offset :]
        assert len(theirs) - found in (0, 1)  # theirs may have a frame of padding
        assert row.std(dim=0).mean() > 3e-3  # frames differ by more than the tolerance
        torch.testing.assert_close(row[:found], theirs[:found], atol=1e-4, rtol=0)


def pairs(values):
    return values[: len(values) // 2 * 2].unflatten(0, (-1, 2))


@pytest.mark.parametrize("pool", ["path", "probabilities", "logits", "hidden"])
def test_two_frames_become_one(hubert, pool):
    samples = 0.1 * torch.randn(9000)
    model, single = finished(hubert, pool=pool), finished(hubert, subsampling=None)
    hidden = []
    single.ctc.lm_head.register_forward_pre_hook(lambda _, inputs: hidden.append(inputs[0][0]))
    with torch.no_grad():
        theirs = single(samples[None], torch.tensor([9000]))[0][0]
        expected = {
            "path": Pooling(2, 0, 0.04, 0.02).path(theirs[None], blank=CHARACTERS.index("<pad>"))[0],
            "probabilities": pairs(theirs.softmax(dim=-1)).mean(dim=1).log(),
            "logits": pairs(theirs).amax(dim=1),
            "hidden": single.ctc.lm_head(pairs(hidden[0]).amax(dim=1)),
        }[pool]
    logits, frames = model(samples[None], torch.tensor([9000]))
    assert frames.tolist() == [logits.shape[1]] == [len(theirs) // 2]
    torch.testing.assert_close(logits[0], expected)
    assert model.frame_shift_s == 0.04
    assert 1000 * model.first_centre_s == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    "family", ["hubert", "wav2vec2, adapter", "wav2vec2-bert", "granite", "parakeet", "parakeet, 80 ms"]
)
def test_frames_fit_those_of_the_student_at_any_length(tmp_path, family):
    subsampling = WINDOWS.get(family, 4)
    model = finished(save_model(tmp_path, family), num_labels=num_labels(family), subsampling=subsampling)
    assert abs(model.first_centre_s - student_centre_s(subsampling)) <= model.frame_shift_s / 2
    for num_samples in range(9000, 9000 + 2 * subsampling * 160, 80):
        logits, frames = model(torch.randn(1, num_samples), torch.tensor([num_samples]))
        assert logits.shape[1] - frames.item() in (0, 1)
        assert abs(frames.item() - num_frames(num_samples / SAMPLE_RATE_HZ, subsampling)) <= 1


def test_samples_that_a_frame_of_parakeet_sees(tmp_path):
    model = finished(save_model(tmp_path, "parakeet, 80 ms"), num_labels=NUM_PIECES, subsampling=8)
    layers = frame_layers(model.ctc.config, model.extractor, "parakeet")
    probes = torch.arange(3000, 10000, 100)
    audio = 0.1 * torch.randn(16000).repeat(1 + len(probes), 1)
    audio[1:][torch.arange(len(probes)), probes] += 1.0
    with torch.no_grad():
        frames = model.ctc.encoder.subsampling(model.extractor._torch_extract_fbank_features(audio))[:, 5]
    changing = probes[(frames[1:] != frames[0]).any(dim=1)]
    centre_s = (changing[0] + changing[-1]).item() / 2 / SAMPLE_RATE_HZ
    assert centre_s == pytest.approx(first_centre_s(layers) + 5 * 0.08, abs=0.01)


def test_frames_that_do_not_fit_are_refused(tmp_path):
    folder = save_model(tmp_path, "parakeet, 80 ms")
    message = (
        f'{folder}: a frame of the model has 80 ms, and a frame of the student has 40 ms.*"subsampling": 8 for both'
    )
    with pytest.raises(ValueError, match=message):
        finished(folder, num_labels=NUM_PIECES)
    with pytest.raises(ValueError, match='a: a frame of the model has 30 ms.* 40 ms.*Declare "subsampling": 6 for'):
        fit([Layer(480, 480)], subsampling=4, whose="a")
    folder = save_model(tmp_path / "late", "lasr")
    message = "the first frame of the model is at 72.47 ms, and that of the student at 27.47 ms: expected a distance of"
    refused(folder, message, num_labels=NUM_PIECES)


def test_a_fingerprint_tells_models_with_one_name_apart(tmp_path):
    folders = [save_model(tmp_path / place / "model", "hubert") for place in "ab"]
    first, same = (finished(folder).identity for folder in folders)
    assert first == same
    assert first.startswith("model ")
    (folder := Path(folders[1]) / "processor_config.json").write_text(
        folder.read_text().replace('"do_normalize": true', '"do_normalize": false')
    )
    assert finished(folders[1]).identity != first


def refused(folder, message, **options):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        finished(folder, **options)
    assert str(caught.value).startswith(f"{folder}: {message}")
    assert "\n" not in str(caught.value)


def test_a_model_without_ctc_head_is_refused(tmp_path):
    refused(
        save_model(tmp_path / "encoder", "hubert", head=False), "a HubertForCTC without CTC head: it has no weights lm"
    )
    config = json.loads(Path(save_model(tmp_path / "other", "hubert"), "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps({**config, "model_type": "whisper"}))
    refused(tmp_path / "other", "a 'whisper' model, which has no CTC head; expected one of data2vec-audio, ")


def test_a_model_without_all_weights_is_refused(hubert):
    config = json.loads(Path(hubert, "config.json").read_text())
    Path(hubert, "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    refused(hubert, "a HubertForCTC without 16 of its weights, such as hubert.encoder.layers.2")


def test_a_model_without_processor_is_refused(hubert):
    os.remove(Path(hubert, "processor_config.json"))
    refused(hubert, "cannot load its processor (preprocessor_config.json): ")


def test_a_processor_for_another_sample_rate_is_refused(hubert):
    path = Path(hubert, "processor_config.json")
    path.write_text(path.read_text().replace("16000", "8000"))
    refused(hubert, "its processor expects 8000 Hz, but audio has 16000")


def test_other_faults_are_named(hubert, tmp_path):
    refused(hubert, "the model has 8 outputs, expected 9, one for each label", num_labels=9)
    refused(tmp_path / "nothing", "no such folder, expected a CTC model of transformers")
    with pytest.raises(ValueError, match="pool 'mean': expected one of path, probabilities, logits, hidden"):
        finished(hubert, pool="mean")
