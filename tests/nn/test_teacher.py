"""The teacher, with tiny encoders: loading, saving, lengths, masks, and independence of padding; and HuBERT large."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    Data2VecAudioConfig,
    Data2VecAudioModel,
    HubertConfig,
    HubertModel,
    Wav2Vec2FeatureExtractor,
)

from ctc_kd.nn.config import LogMelConfig, TeacherConfig
from ctc_kd.nn.features import LogMel, prepare_waveform
from ctc_kd.nn.losses import ctc_loss
from ctc_kd.nn.teacher import SpeechEncoderCtc, convolution_lengths, save_encoder
from tiny_encoders import CONVOLUTIONAL, STABLE

ENCODER, GROUP_NORM = ({"model_type": "hubert", **fields} for fields in (STABLE, CONVOLUTIONAL))
FAMILIES = ["hubert", "wav2vec2", "wavlm"]


def tiny(encoder=ENCODER, **options):
    return SpeechEncoderCtc(TeacherConfig(encoder, 7, **options))


def family(model_type, architecture=ENCODER, **options):
    return tiny({**architecture, "model_type": model_type}, **options)


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize("model_type", FAMILIES)
def test_an_utterance_gives_the_same_in_any_batch(model_type):
    model = family(model_type).eval()
    lengths = [9000, 12000, 5555, 3333]
    audio = torch.randn(4, 12000)
    logits, frames = model(audio, torch.tensor(lengths))
    assert logits.shape == (4, int(frames.max()), 7)
    for i, length in enumerate(lengths):
        alone, alone_frames = model(audio[i : i + 1, :length], torch.tensor([length]))
        assert alone_frames[0] == frames[i] == alone.shape[1]
        torch.testing.assert_close(logits[i, : frames[i]], alone[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_with_group_norm_an_utterance_gives_the_same_beside_others_of_its_length(model_type):
    model = family(model_type, GROUP_NORM, attention_mask=False).eval()
    audio = torch.randn(3, 9000)
    logits, frames = model(audio, torch.tensor([9000] * 3))
    for i in range(3):
        torch.testing.assert_close(model(audio[i : i + 1], frames.new_tensor([9000]))[0][0], logits[i])


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize("architecture", [ENCODER, GROUP_NORM], ids=["layer_norm", "group_norm"])
@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_ctc_step_trains_every_weight(model_type, architecture):
    model = family(model_type, architecture, mask_time_prob=0.3, encoder_options={"layerdrop": 0.0}).train()
    logits, lengths = model(torch.randn(2, 12000), torch.tensor([12000, 7000]))
    ctc_loss(logits, lengths, torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2]), blank=6).backward()
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert without == []
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize("architecture", [ENCODER, GROUP_NORM], ids=["layer_norm", "group_norm"])
@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_folder_gives_what_transformers_gives(model_type, architecture, tmp_path):
    save_encoder(family(model_type, architecture), tmp_path / "encoder")
    model = tiny(str(tmp_path / "encoder")).eval()
    theirs = AutoModel.from_pretrained(tmp_path / "encoder", dtype=torch.float32).eval()
    audio, lengths = torch.randn(1, 9000), torch.tensor([9000])
    expected = theirs(prepare_waveform(audio, lengths)).last_hidden_state[:, :28].unflatten(1, (-1, 2)).amax(dim=2)
    torch.testing.assert_close(model(audio, lengths)[0], model.output(expected), atol=1e-5, rtol=1e-4)


def test_a_folder_without_all_weights_is_refused(tmp_path):
    save_encoder(tiny(), tmp_path / "encoder")
    config = json.loads((tmp_path / "encoder" / "config.json").read_text())
    (tmp_path / "encoder" / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ValueError, match=r"encoder: expected all weights of a hubert encoder.*layers\.2"):
        tiny(str(tmp_path / "encoder"))


def test_a_folder_that_was_never_trained_with_masks_can_be(tmp_path):
    save_encoder(tiny(mask_time_prob=0.0), tmp_path / "encoder")
    assert tiny(str(tmp_path / "encoder"), mask_time_prob=0.2).encoder.masked_spec_embed.isfinite().all()


def test_a_model_of_text_is_refused():
    with pytest.raises(ValueError, match="'bert' model, which does not read audio"):
        tiny({"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2})


def test_an_adapter_that_lowers_the_frame_rate_is_refused(tmp_path):
    adapter = {"add_adapter": True, "output_hidden_size": 16}
    save_encoder(family("wav2vec2", {**ENCODER, **adapter}), tmp_path / "encoder")
    audio, lengths = torch.randn(1, 9000), torch.tensor([9000])
    with pytest.raises(ValueError, match="4 frames of 9000 samples, expected 28 like its convolutions.*add_adapter"):
        tiny(str(tmp_path / "encoder"))(audio, lengths)
    without = tiny(str(tmp_path / "encoder"), encoder_options={"add_adapter": False})
    assert without(audio, lengths)[0].shape == (1, 14, 7)


def test_normalised_waveform_is_that_of_transformers():
    audio, lengths = 0.01 * torch.randn(3, 9000) + 0.1, torch.tensor([9000, 5000, 1])
    theirs = Wav2Vec2FeatureExtractor(do_normalize=True)
    waveform = tiny(waveform="normalised").prepare(audio, lengths)
    for row, signal, length in zip(waveform, audio, lengths.tolist(), strict=True):
        expected = theirs(signal[:length].numpy(), sampling_rate=16000)["input_values"][0]
        np.testing.assert_allclose(row[:length], expected, atol=1e-4)
        assert (row[length:] == 0).all()


def test_waveforms():
    audio, lengths = torch.randn(2, 9000), torch.tensor([9000, 4000])
    plain = tiny(waveform="plain").prepare(audio, lengths)
    assert torch.equal(plain[0], audio[0])
    assert torch.equal(plain[1], torch.cat([audio[1, :4000], torch.zeros(5000)]))
    for waveform in (None, "paper"):
        prepared = tiny(waveform=waveform).prepare(audio, lengths)
        assert torch.equal(prepared, prepare_waveform(audio, lengths))
    with pytest.raises(ValueError, match="'raw': expected one of paper, plain, normalised"):
        tiny(waveform="raw")


def test_an_encoder_without_that_switch(tmp_path):
    fields = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    convolutions = {"conv_dim": (8, 8), "conv_stride": (10, 32), "conv_kernel": (20, 32), "conv_pos_kernel_size": 3}
    config = Data2VecAudioConfig(**fields, **convolutions, num_conv_pos_embedding_groups=2)
    Data2VecAudioModel(config).save_pretrained(tmp_path)
    logits, _ = tiny(str(tmp_path))(torch.randn(1, 16000), torch.tensor([16000]))
    assert logits.isfinite().all()


def test_masks_of_a_checkpoint_that_switches_them_off():
    """transformers looks at ``apply_spec_augment`` before it looks at masks."""
    model = tiny({**ENCODER, "apply_spec_augment": False}, mask_time_prob=0.5, encoder_options={"layerdrop": 0.0})
    audio, lengths = torch.randn(1, 16000), torch.tensor([16000])
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    assert not torch.equal(model(audio, lengths)[0], model(audio, lengths)[0])


def test_no_masks_over_features_since_numpys_random_state_would_draw_them():
    model = tiny({**ENCODER, "mask_feature_prob": 0.5}, mask_time_prob=0.5, encoder_options={"layerdrop": 0.0}).train()
    audio, lengths, found = torch.randn(1, 16000), torch.tensor([16000]), []
    for _ in range(2):
        torch.manual_seed(1)
        found.append(model(audio, lengths)[0])
    assert torch.equal(*found)
    with pytest.raises(ValueError, match="mask_feature_prob: masks over features cannot be drawn again after a kill"):
        tiny(encoder_options={"mask_feature_prob": 0.1})


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
    cfg = TeacherConfig(ENCODER, 7, encoder_options={"mask_time_prob": 0.4})
    assert SpeechEncoderCtc(cfg).encoder.config.mask_time_prob == 0.4


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
    samples = 320 * torch.tensor([1000] * 50 + [500] * 50) + 80  # of 1000 and of 500 frames
    mask = model._time_mask(torch.zeros(1).expand(100, int(samples.max())), samples)
    assert mask.shape == (100, 1000)
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


HUBERT_LARGE = {  # of facebook/hubert-large-ll60k, arXiv 2106.07447
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}


@pytest.mark.slow
def test_hubert_large_trains_and_teaches(tmp_path):
    """The paper's teacher at its true size, with random weights, in under 8 GB.

    The paper counts 317 M parameters: with those of the pre-training's output, which is not loaded.
    """
    HubertModel(HubertConfig(**HUBERT_LARGE)).half().save_pretrained(tmp_path)
    model = SpeechEncoderCtc(TeacherConfig(str(tmp_path), num_labels_with_blank=79))
    assert sum(parameter.numel() for parameter in model.output.parameters()) == 80_975
    assert sum(parameter.numel() for parameter in model.encoder.parameters()) == 315_438_720
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}

    audio, lengths = torch.randn(2, 16000), torch.tensor([16000, 12000])
    targets, target_lengths = torch.tensor([[3, 1, 4], [1, 5, 0]]), torch.tensor([3, 2])
    optimizer = torch.optim.RAdam(model.parameters(), lr=7e-6, foreach=False)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)  # the same dropout and masks
        logits, frames = model.train()(audio, lengths)
        losses.append(ctc_loss(logits, frames, targets, target_lengths, blank=78))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[1] < losses[0]

    with torch.no_grad():
        logits, frames = model.eval()(audio, lengths)
    assert (logits.shape, frames.tolist()) == ((2, 24, 79), [24, 18])
    assert logits[1, :18].half().isfinite().all()
