"""The teacher, with tiny encoders: loading, saving, lengths, masks, and independence of padding."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from transformers import HubertConfig

from ctc_kd.nn.features import LogMel, LogMelConfig, prepare_waveform
from ctc_kd.nn.teacher import SpeechEncoderCtc, TeacherConfig, convolution_lengths, save_encoder

torch.set_num_threads(1)
ENCODER = {
    "model_type": "hubert",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 3,
    "conv_kernel": [10, 8, 4],
    "conv_stride": [10, 8, 4],
    "num_feat_extract_layers": 3,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2,
}


def tiny(encoder=ENCODER, **options):
    return SpeechEncoderCtc(TeacherConfig(encoder, 7, **options))


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize("model_type", ["hubert", "wav2vec2", "wavlm"])
def test_an_utterance_gives_the_same_in_any_batch(model_type):
    model = tiny({**ENCODER, "model_type": model_type}).eval()
    lengths = [9000, 12000, 5555, 3333]
    audio = torch.randn(4, 12000)
    logits, frames = model(audio, torch.tensor(lengths))
    assert logits.shape == (4, int(frames.max()), 7)
    for i, length in enumerate(lengths):
        alone, alone_frames = model(audio[i : i + 1, :length], torch.tensor([length]))
        assert alone_frames[0] == frames[i] == alone.shape[1]
        torch.testing.assert_close(logits[i, : frames[i]], alone[0], atol=1e-4, rtol=1e-4)


def test_without_attention_mask_padding_is_attended():
    torch.manual_seed(0)
    masked = tiny(attention_mask=True).eval()
    unmasked = tiny(attention_mask=False).eval()
    unmasked.load_state_dict(masked.state_dict())
    audio, lengths = torch.randn(2, 9000), torch.tensor([9000, 4000])
    assert torch.equal(masked(audio, lengths)[1], unmasked(audio, lengths)[1])
    difference = (masked(audio, lengths)[0] - unmasked(audio, lengths)[0]).abs().amax(dim=(1, 2))
    assert difference[0] < 1e-5 < 1e-4 < difference[1]


def test_pooling_takes_the_maximum_of_pairs():
    model = tiny().eval()
    audio, lengths = torch.randn(1, 9000), torch.tensor([9000])
    hidden = model.encoder(prepare_waveform(audio, lengths))
    pairs = [hidden.last_hidden_state[0, t : t + 2].max(dim=0).values for t in range(0, 28, 2)]
    torch.testing.assert_close(model(audio, lengths)[0][0], model.output(torch.stack(pairs)), atol=1e-5, rtol=1e-4)


def test_save_and_load_in_half_precision(tmp_path):
    model = tiny().eval()
    save_encoder(model, tmp_path / "encoder")
    assert {file.name for file in (tmp_path / "encoder").iterdir()} >= {"config.json", "model.safetensors"}
    num_parameters = sum(parameter.numel() for parameter in model.encoder.parameters())
    assert (tmp_path / "encoder" / "model.safetensors").stat().st_size < 2 * num_parameters + 20_000
    loaded = tiny(str(tmp_path / "encoder")).eval()
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    loaded.output.load_state_dict(model.output.state_dict())
    audio, lengths = torch.randn(1, 9000), torch.tensor([9000])
    torch.testing.assert_close(loaded(audio, lengths)[0], model(audio, lengths)[0], atol=2e-2, rtol=2e-2)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_missing_folder_is_an_error_that_names_it():
    with pytest.raises(FileNotFoundError, match="/no/such/encoder"):
        tiny("/no/such/encoder")


def test_config_survives_json_and_options_reach_the_encoder():
    cfg = TeacherConfig(ENCODER, 7, encoder_options={"layerdrop": 0.0, "hidden_dropout": 0.3}, mask_time_prob=0.2)
    assert TeacherConfig.from_dict(json.loads(json.dumps(asdict(cfg)))) == cfg
    config = SpeechEncoderCtc(cfg).encoder.config
    assert (config.layerdrop, config.hidden_dropout, config.mask_time_prob) == (0.0, 0.3, 0.2)


def quiet(**options):
    no_dropout = ("hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout", "layerdrop")
    return tiny(dropout=0.0, encoder_options=dict.fromkeys(no_dropout, 0.0), **options)


def test_training_masks_frames_with_torchs_random_numbers_only():
    model = quiet(mask_time_prob=0.3)
    audio, lengths = torch.randn(2, 12000), torch.tensor([12000, 6000])
    state = np.random.get_state()[1].copy()
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws.append(model(audio, lengths)[0])
    assert torch.equal(draws[0], draws[1])
    assert not torch.allclose(draws[0], draws[2])
    assert (np.random.get_state()[1] == state).all()


def test_training_without_masks_equals_evaluation():
    model = quiet(mask_time_prob=0.0)
    audio, lengths = torch.randn(2, 12000), torch.tensor([12000, 6000])
    torch.testing.assert_close(model.train()(audio, lengths)[0], model.eval()(audio, lengths)[0])


def test_training_on_utterances_shorter_than_a_mask():
    model = tiny(mask_time_prob=0.5)
    logits, lengths = model(torch.randn(2, 1600), torch.tensor([1600, 960]))
    assert lengths.tolist() == [2, 1]
    assert logits.isfinite().all()


def test_share_of_masked_frames():
    model = tiny(mask_time_prob=0.2)
    mask = model._time_mask(torch.tensor([1000] * 50 + [500] * 50), 1000)
    assert not mask[50:, 500:].any()
    expected = 1 - (1 - 0.02) ** 10  # overlapping spans of 10 with starts at 2 % of the frames
    assert float(mask[:50].float().mean()) == pytest.approx(expected, abs=0.02)
    assert float(mask[50:, :500].float().mean()) == pytest.approx(expected, abs=0.02)


def test_teacher_has_as_many_frames_as_the_student_or_one_more():
    samples = torch.arange(1200, 60000)
    teacher = convolution_lengths(samples, HubertConfig()) // 2
    student = LogMel(LogMelConfig()).output_lengths(samples) // 2 // 2
    assert set((teacher - student).tolist()) == {0, 1}


def test_convolutions_can_be_kept():
    model = tiny(train_convolutions=False, mask_time_prob=0.0).train()
    model(torch.randn(1, 9000), torch.tensor([9000]))[0].sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    kept = [name for name in gradients if name.startswith("encoder.feature_extractor.")]
    assert kept
    assert all(gradients.pop(name) is None for name in kept)
    assert all(gradient is not None for gradient in gradients.values())
