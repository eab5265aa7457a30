"""A student as an ONNX file computes what torch computes, for any length and batch; sherpa-onnx reads it."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from ctc_kd.inventory import Inventory
from ctc_kd.nn.config import LogMelConfig
from ctc_kd.nn.features import LogMel
from ctc_kd.recognition.onnx_export import ConvolvedLogMel, write_int8, write_onnx
from ctc_kd.recognition.sherpa import write_tokens
from random_student import INVENTORIES, best_path, log_posteriors, random_student, speech

LETTERS = INVENTORIES["characters"]


@pytest.fixture(scope="module", params=[(4, False), (2, True), (8, True)], ids=str)
def exported(request, tmp_path_factory):
    """A student, and the path of its file."""
    model = random_student(subsampling=request.param[0], normalise=request.param[1])
    path = str(tmp_path_factory.mktemp("onnx") / "model.onnx")
    write_onnx(path, model, LETTERS.blank)
    return model, path


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(path, options)


def run(path, audio, lengths=None):
    feeds = {"input_values": audio.numpy()} | ({} if lengths is None else {"input_lengths": lengths.numpy()})
    return torch.from_numpy(session(path).run(["logprobs"], feeds)[0])


@pytest.mark.parametrize("seconds", [0.1, 0.1234, 1, 7.7, 60])
def test_log_posteriors_are_those_of_torch(exported, seconds):
    model, path = exported
    audio = speech(2 if seconds < 10 else 1, round(16000 * seconds))
    torch.testing.assert_close(run(path, audio), log_posteriors(model, audio), atol=1e-3, rtol=0)


def test_a_batch_of_several_lengths_is_each_alone_and_then_blank(exported):
    model, path = exported
    lengths = torch.tensor([9000, 16000, 2000, 300])
    audio = speech(4, 16000)
    batch = run(path, audio, lengths)
    for row, samples, length in zip(batch, audio, lengths, strict=True):
        if length < 1600:
            alone = torch.empty(0, len(LETTERS.labels))
        else:
            alone = log_posteriors(model, samples[None, :length])[0]
        torch.testing.assert_close(row[: len(alone)], alone, atol=1e-3, rtol=0)
        behind = row[len(alone) :].exp()
        torch.testing.assert_close(behind, torch.eye(len(LETTERS.labels))[LETTERS.blank].expand_as(behind))
    assert len(batch[1]) == len(log_posteriors(model, audio[1:2])[0])


@pytest.mark.parametrize("num_samples", [0, 1, 399, 500])
def test_too_short_for_a_frame(exported, num_samples):
    model, path = exported
    if model.cfg.subsampling * 160 + 240 <= num_samples:
        pytest.skip("long enough")
    assert run(path, torch.ones(1, num_samples)).shape == (1, 0, len(LETTERS.labels))


def test_silence_is_finite(exported):
    assert run(exported[1], torch.zeros(1, 8000)).isfinite().all()


def test_the_level_and_the_mean_that_clients_take_away_do_not_matter(exported):
    audio = speech(1, 20000)
    as_sherpa_feeds_it = (audio - audio.mean()) / (audio.var(correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(run(exported[1], as_sherpa_feeds_it), run(exported[1], audio), atol=2e-2, rtol=0)


def test_the_graph_is_plain_onnx_with_a_static_number_of_labels(exported):
    graph = onnx.load(exported[1])
    onnx.checker.check_model(graph, full_check=True)
    assert {node.domain for node in graph.graph.node} == {""}
    (output,) = session(exported[1]).get_outputs()
    assert output.shape[2] == len(LETTERS.labels)
    assert [given.name for given in session(exported[1]).get_inputs()] == ["input_values"]  # the other is optional


@pytest.mark.parametrize("cfg", [LogMelConfig(), LogMelConfig(window=240, hop=80, normalise=True)])
def test_features_by_convolution(cfg):
    audio, lengths = speech(2, 16000), torch.tensor([16000, 9000])
    (ours, frames), (expected, expected_frames) = (kind(cfg)(audio, lengths) for kind in (ConvolvedLogMel, LogMel))
    torch.testing.assert_close(ours, expected, atol=1e-3, rtol=0)
    assert frames.tolist() == expected_frames.tolist()


def test_int8_has_linear_layers_of_eight_bits_and_almost_the_same_posteriors(exported, tmp_path):
    model, path = exported
    small = str(tmp_path / "model.int8.onnx")
    write_int8(small, path)
    nodes = onnx.load(small).graph.node
    linear = sum(isinstance(module, torch.nn.Linear) for module in model.modules())
    assert sum(node.op_type == "MatMulInteger" for node in nodes) == linear
    assert not any(node.op_type == "MatMulInteger" and "log_mel" in node.name for node in nodes)
    audio = speech(1, 48000)
    change = run(small, audio).exp() - log_posteriors(model, audio).exp()
    assert 0 < change.abs().mean() < 0.02


@pytest.mark.parametrize("inventory", INVENTORIES.values(), ids=INVENTORIES)
def test_sherpa_onnx_prints_the_labels_of_the_best_path(inventory, tmp_path):
    sherpa_onnx = pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed: pip install sherpa-onnx")
    model = random_student()
    write_onnx(str(tmp_path / "model.onnx"), model, inventory.blank)
    write_tokens(str(tmp_path / "tokens.txt"), inventory)
    recogniser = sherpa_onnx.OfflineRecognizer.from_omnilingual_asr_ctc(
        model=str(tmp_path / "model.onnx"), tokens=str(tmp_path / "tokens.txt"), num_threads=1
    )
    for num_samples in (4000, 32000):
        audio = speech(num_samples)
        stream = recogniser.create_stream()
        stream.accept_waveform(16000, np.asarray(audio))
        recogniser.decode_stream(stream)
        expected = best_path(model, audio, inventory)
        assert " ".join(stream.result.text.split()) == expected
        assert expected


@pytest.mark.parametrize("label", ["<blk>", "A\tB", "\n"])
def test_labels_that_sherpa_onnx_cannot_read(label, tmp_path):
    with pytest.raises(ValueError, match="label 1 is .* which sherpa-onnx cannot read"):
        write_tokens(str(tmp_path / "tokens.txt"), Inventory("characters", ("[blank]", label), 0))
    assert not (tmp_path / "tokens.txt").exists()
