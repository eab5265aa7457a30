"""Pre-training of the demo's encoder: its speech, its units, and resuming after a kill."""

import json
import shutil

import numpy as np
import pytest
import torch

from ctc_kd.corpus.synthetic.acoustics import Acoustics
from ctc_kd.pretraining import loop
from ctc_kd.pretraining.encoder import PretrainEncoderJob
from ctc_kd.pretraining.loop import (
    Settings,
    frame_centres,
    learning_rate,
    load_checkpoint,
    run_pass,
    write_encoder,
)
from ctc_kd.pretraining.speech import (
    UNIT_SAMPLES,
    WINDOW_SAMPLES,
    SynthesisePretrainingSpeechJob,
    cut_window,
    window_units,
)

TINY_ENCODER = {
    "model_type": "hubert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8, 16],
    "conv_kernel": [20, 16],
    "conv_stride": [20, 16],
    "conv_bias": True,
    "num_feat_extract_layers": 2,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_prob": 0.1,
    "layerdrop": 0.0,
}


@pytest.mark.parametrize("start", [-5000, 0, 30000])
def test_windows_and_their_units_fit_together(start):
    audio = np.arange(1, WINDOW_SAMPLES + 10000, dtype=float)
    window = cut_window(audio, start)
    assert window.shape == (WINDOW_SAMPLES,)
    units = window_units([0, 20000, 50000], [0, 1, 2], len(audio), start)
    assert units.shape == (WINDOW_SAMPLES // UNIT_SAMPLES,)
    for index in range(0, len(units), 37):
        sample = start + index * UNIT_SAMPLES + UNIT_SAMPLES // 2
        inside = 0 <= sample < len(audio)
        assert window[index * UNIT_SAMPLES + UNIT_SAMPLES // 2] == (audio[sample] if inside else 0)
        assert units[index] == ((sample >= 20000) + (sample >= 50000) if inside else 0)


def test_frames_and_their_centres():
    centres = frame_centres({"conv_kernel": [20, 8, 8, 4], "conv_stride": [10, 4, 4, 2]})
    step = 10 * 4 * 4 * 2
    field = 20 + 7 * 10 + 7 * 40 + 3 * 160
    assert list(centres[:2]) == [field // 2, field // 2 + step]
    assert centres[-1] + field // 2 <= WINDOW_SAMPLES < centres[-1] + step + field // 2


def test_learning_rate_goes_up_then_down():
    rates = [learning_rate(step, 100, 1e-3) for step in range(100)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) in (9, 10)
    assert all(a <= b for a, b in zip(rates[:9], rates[1:10], strict=True))
    assert all(a >= b for a, b in zip(rates[10:99], rates[11:], strict=True))


def test_speech_then_encoder_and_a_killed_training_resumes(run_jobs, tmp_path, monkeypatch):
    from transformers import AutoModel

    speech = SynthesisePretrainingSpeechJob(hours=24 * 4 / 3600, shards=2, acoustics=Acoustics())
    teacher = PretrainEncoderJob(
        speech=speech.out_speech, encoder=TINY_ENCODER, passes=2, learning_rate=1e-3, workers=1, batch_windows=2
    )
    run_jobs(teacher.out_encoder)

    with open(teacher.out_curve.get_path()) as file:
        curve = json.load(file)
    assert [entry["pass"] for entry in curve] == [1, 2]
    assert curve[1]["dev_loss"] < curve[0]["dev_loss"]
    encoder = AutoModel.from_pretrained(teacher.out_encoder.get_path())
    assert torch.isfinite(encoder(torch.zeros(1, 16000)).last_hidden_state).all()

    shutil.rmtree(teacher.out_encoder.get_path())  # as if killed before the new folder took its place
    monkeypatch.chdir(teacher.work_path())
    teacher.run()
    assert AutoModel.from_pretrained(teacher.out_encoder.get_path())

    settings = Settings(
        speech=speech.out_speech.get_path(),
        encoder=TINY_ENCODER,
        passes=2,
        learning_rate=1e-3,
        workers=1,
        batch_windows=2,
        seed=1,
        folder=str(tmp_path),
    )

    def killed_in_second_pass(number, *args):
        if number == 1:
            raise KeyboardInterrupt
        return run_pass(number, *args)

    monkeypatch.setattr(loop, "run_pass", killed_in_second_pass)
    with pytest.raises(KeyboardInterrupt):
        loop.train(0, settings, str(tmp_path / "first"))
    torch.distributed.destroy_process_group()
    assert load_checkpoint(settings)["passes"] == 1
    monkeypatch.undo()
    loop.train(0, settings, str(tmp_path / "second"))
    write_encoder(settings, load_checkpoint(settings), str(tmp_path / "resumed"))
    resumed = AutoModel.from_pretrained(str(tmp_path / "resumed")).state_dict()
    for name, value in encoder.state_dict().items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0, msg=name)
