"""Whisper as a teacher, with tiny encoders: equal to transformers' on 30 s, the same in any batch, of any length."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from ctc_kd.nn.config import LogMelConfig, TeacherConfig
from ctc_kd.nn.features import LogMel
from ctc_kd.nn.losses import ctc_loss
from ctc_kd.nn.masking import valid_frames
from ctc_kd.nn.teacher import SpeechEncoderCtc, save_encoder
from ctc_kd.nn.whisper_encoder import WhisperFeatures, Windows, whisper_lengths

WINDOW_S = 1.2  # instead of Whisper's 30 s
ENCODER = {
    "model_type": "whisper",
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 32,
    "vocab_size": 20,
    "max_source_positions": int(50 * WINDOW_S),
    "max_target_positions": 8,
    "num_mel_bins": 20,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "decoder_start_token_id": 1,
}


def tiny(encoder=ENCODER, **options):
    return SpeechEncoderCtc(TeacherConfig(encoder, 7, **options))


def quiet(**options):
    """Without anything random but the masks."""
    return tiny(dropout=0.0, **options)


@pytest.mark.parametrize("num_mel_bins", [80, 128])
def test_features_equal_transformers(num_mel_bins):
    audio = 0.1 * torch.randn(4, 16000)
    audio[1, 4000:12000] = 0.0
    audio[2] *= torch.linspace(0, 1, 16000) ** 4  # loudest in the last window, which is no frame of its own
    audio[3] = 0.0
    theirs = WhisperFeatureExtractor(feature_size=num_mel_bins)
    ours = WhisperFeatures(WhisperConfig(num_mel_bins=num_mel_bins))
    for length in (16000, 15999, 12345, 700):
        expected = theirs(list(audio[:, :length].numpy()), sampling_rate=16000)["input_features"]
        features = ours(audio[:, :length])
        assert features.shape == (4, length // 160, num_mel_bins)
        np.testing.assert_allclose(features, expected[:, :, : length // 160].transpose(0, 2, 1), atol=1e-4)


def test_features_of_utterances_shorter_than_a_window():
    features = WhisperFeatures(WhisperConfig())(torch.randn(1, 170))
    assert features.shape == (1, 1, 80)
    assert features.isfinite().all()


def test_a_full_window_equals_transformers():
    model = tiny(attention_mask=False).eval()
    audio, lengths = torch.randn(2, int(16000 * WINDOW_S)), torch.tensor([int(16000 * WINDOW_S), 7000])
    audio[1, 7000:] = 0.0
    features = model.features(audio)
    hidden = model.encoder.encoder(features.transpose(1, 2)).last_hidden_state
    assert hidden.shape == (2, ENCODER["max_source_positions"], 16)
    torch.testing.assert_close(model.encoder(features), hidden, atol=1e-5, rtol=1e-4)
    logits, frames = model(audio, lengths)
    assert frames.tolist() == [30, 11]
    expected = model.output(hidden.unflatten(1, (-1, 2)).amax(dim=2))
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("lengths", [[15999, 12000, 5555, 3333, 640], [70000, 19200, 30000, 45678, 5000]])
def test_an_utterance_gives_the_same_in_any_batch(lengths, attention):
    model = tiny(encoder_options={"attn_implementation": attention}).eval()
    assert model.encoder.encoder.config._attn_implementation == attention
    audio = torch.randn(len(lengths), max(lengths))
    logits, frames = model(audio, torch.tensor(lengths))
    assert logits.shape == (len(lengths), int(frames.max()), 7)
    for i, length in enumerate(lengths):
        alone, alone_frames = model(audio[i : i + 1, :length], torch.tensor([length]))
        assert alone_frames[0] == frames[i] == alone.shape[1]
        torch.testing.assert_close(logits[i, : frames[i]], alone[0], atol=1e-5, rtol=1e-4)


def test_without_attention_mask_padding_is_attended():
    torch.manual_seed(0)
    masked, unmasked = tiny().eval(), tiny(attention_mask=False).eval()
    unmasked.load_state_dict(masked.state_dict())
    audio, lengths = torch.randn(2, 9000), torch.tensor([9000, 4000])
    assert torch.equal(masked(audio, lengths)[1], unmasked(audio, lengths)[1])
    difference = (masked(audio, lengths)[0] - unmasked(audio, lengths)[0]).abs().amax(dim=(1, 2))
    assert difference[0] < 1e-5 < 1e-4 < difference[1]


def test_beyond_a_window_only_near_context_is_seen():
    model = tiny().eval()
    audio, lengths = torch.randn(2, 64000), torch.tensor([64000, 64000])
    audio[1] = audio[0]
    audio[1, 32000:] = torch.randn(32000)
    logits, _ = model(audio, lengths)
    same = (logits[0] - logits[1]).abs().amax(dim=1) < 1e-5
    assert same[: int(25 * (2.0 - WINDOW_S))].all()
    assert not same[50:].any()


@given(st.data())
def test_windows_cover_every_frame_once_with_context(data):
    size = data.draw(st.integers(6, 40))
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, 150), min_size=1, max_size=4)))
    num_frames = int(lengths.max())
    windows = Windows(num_frames, size)
    frames = torch.rand(len(lengths), num_frames, 2)
    parts = windows.split(frames)
    assert len(parts) == len(lengths) * len(windows)
    valid = valid_frames(lengths, num_frames)
    torch.testing.assert_close(windows.join(parts, lengths)[valid], frames[valid])

    # Where a window begins and ends, as frames see it: never nearer than half an overlap inside of an utterance.
    position = torch.arange(parts.shape[1]).expand(parts.shape[:2])[..., None]
    position = windows.join(position, lengths)[..., 0]
    time = torch.arange(num_frames).expand_as(position)
    before, after = position, parts.shape[1] - 1 - position
    half = windows.overlap // 2
    assert ((before >= half) | (before == time))[valid].all()
    assert ((after >= half) | (after >= lengths[:, None] - 1 - time))[valid].all()


def test_as_many_frames_as_the_student_or_one_more():
    samples = torch.arange(400, 60000)
    teacher = whisper_lengths(samples) // 2
    student = LogMel(LogMelConfig()).output_lengths(samples) // 2 // 2
    assert set((teacher - student).tolist()) == {0, 1}


def test_lengths_are_those_of_the_model():
    model = quiet().eval()
    for length in range(3200, 3200 + 640, 37):
        logits, frames = model(torch.randn(1, length), torch.tensor([length]))
        assert logits.shape[1] == frames[0] == whisper_lengths(torch.tensor(length)) // 2


@pytest.fixture
def folder(tmp_path):
    """A whole Whisper model, as the hub has them."""
    config = WhisperConfig(**{name: value for name, value in ENCODER.items() if name != "model_type"})
    model = WhisperForConditionalGeneration(config)
    model.save_pretrained(tmp_path / "whisper")
    return model, tmp_path / "whisper"


@pytest.mark.parametrize("name", ["layerdrop", "encoder_layerdrop"])
def test_only_the_encoder_of_a_folder_is_loaded(folder, tmp_path, name):
    whole, path = folder
    model = tiny(str(path), encoder_options={name: 0.25, "dropout": 0.125}, mask_time_prob=0.5)
    expected = whole.model.encoder.state_dict()
    loaded = model.encoder.encoder.state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)
    assert (model.encoder.encoder.layerdrop, model.encoder.encoder.dropout) == (0.25, 0.125)
    save_encoder(model, tmp_path / "saved")
    again = tiny(str(tmp_path / "saved")).encoder.encoder.state_dict()
    assert {value.dtype for value in again.values()} == {torch.float32}
    assert all(torch.equal(again[name], expected[name].half().float()) for name in expected)


def test_a_folder_without_all_weights_is_refused(folder):
    _, path = folder
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "encoder_layers": 3}))
    with pytest.raises(ValueError, match=r"whisper: expected all weights of a whisper encoder.*layers\.2"):
        tiny(str(path))


def test_hears_plain_audio_unless_told_otherwise():
    audio, lengths = torch.randn(1, 9000), torch.tensor([9000])
    model = quiet().eval()
    for waveform in ("plain", "paper"):
        other = quiet(waveform=waveform).eval()
        other.load_state_dict(model.state_dict())
        assert torch.allclose(other(audio, lengths)[0], model(audio, lengths)[0]) == (waveform == "plain")


def test_training_masks_features_with_torchs_random_numbers_only():
    model = quiet(mask_time_prob=0.3).train()
    audio, lengths = torch.randn(2, 12000), torch.tensor([12000, 6000])
    state = np.random.get_state()[1].copy()
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws.append(model(audio, lengths)[0])
    assert torch.equal(draws[0], draws[1])
    assert not torch.allclose(draws[0], draws[2])
    assert (np.random.get_state()[1] == state).all()


def test_masked_features_are_not_seen():
    encoder = quiet().eval().encoder
    features, lengths = torch.randn(1, 41, 20), torch.tensor([41 * 160])
    mask = torch.zeros(1, 21, dtype=torch.bool)
    mask[0, [3, 4, 20]] = True
    changed = features.clone()
    changed[0, [6, 7, 8, 9, 40]] = 5.0
    torch.testing.assert_close(encoder(features, lengths, mask), encoder(changed, lengths, mask))
    assert not torch.allclose(encoder(features, lengths), encoder(changed, lengths))


def test_training_without_masks_equals_evaluation():
    model = quiet(mask_time_prob=0.0)
    audio, lengths = torch.randn(2, 12000), torch.tensor([12000, 6000])
    torch.testing.assert_close(model.train()(audio, lengths)[0], model.eval()(audio, lengths)[0])


def test_dropped_layers_change_training_only():
    model = quiet(mask_time_prob=0.0, encoder_options={"encoder_layerdrop": 1.0})
    audio, lengths = torch.randn(1, 9000), torch.tensor([9000])
    trained, evaluated = model.train()(audio, lengths)[0], model.eval()(audio, lengths)[0]
    model.encoder.encoder.layers = torch.nn.ModuleList()
    torch.testing.assert_close(model(audio, lengths)[0], trained)
    assert not torch.allclose(trained, evaluated)


@pytest.mark.parametrize("train_convolutions", [True, False])
def test_what_a_ctc_step_trains(train_convolutions):
    model = quiet(train_convolutions=train_convolutions).train()
    logits, lengths = model(torch.randn(2, 30000), torch.tensor([30000, 9000]))
    ctc_loss(logits, lengths, torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2]), blank=6).backward()
    kept = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    convolutions = {f"encoder.encoder.{name}.{part}" for name in ("conv1", "conv2") for part in ("weight", "bias")}
    assert kept == {"encoder.encoder.embed_positions.weight"} | (set() if train_convolutions else convolutions)


def test_bfloat16_on_long_and_short_utterances():
    model = tiny().train()
    with torch.autocast("cpu", torch.bfloat16):
        logits, lengths = model(torch.randn(2, 50000), torch.tensor([50000, 8000]))
    assert logits[0].isfinite().all()
    assert logits[1, : lengths[1]].isfinite().all()
