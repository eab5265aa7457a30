"""The head on an inner layer, and the plain model of that many layers that it belongs to."""

import pytest
import torch

from ctc_kd.training.build import build_model, check_model, truncated, with_two_heads
from tiny_encoders import CONVOLUTIONAL, STABLE

STUDENT = {
    "class": "StudentCtc",
    "num_labels_with_blank": 7,
    "frontend": {"channels": [2, 2, 2, 2]},
    "conformer": {"num_layers": 3, "dim": 16, "num_heads": 2, "feed_forward_dim": 16, "kernel_size": 3},
}
WHISPER = {
    "model_type": "whisper",
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "num_mel_bins": 8,
    "max_source_positions": 30,  # 0.6 s, so that longer audio is read in windows
}


def encoder(fields):
    return {
        "class": "SpeechEncoderCtc",
        "encoder": fields,
        "num_labels_with_blank": 7,
        "encoder_options": {"layerdrop": 0.0},
    }


LARGE = {**STABLE, "num_hidden_layers": 3}
MODELS = {
    "student": STUDENT,
    "hubert": encoder({**LARGE, "model_type": "hubert"}),
    "wav2vec2 base": encoder({**CONVOLUTIONAL, "num_hidden_layers": 3, "model_type": "wav2vec2"}),
    "wavlm": encoder({**LARGE, "model_type": "wavlm"}),
    "whisper": encoder(WHISPER),
}
AUDIO = 0.1 * torch.randn(2, 20000, generator=torch.Generator().manual_seed(0))
LENGTHS = torch.tensor([20000, 13000])


@pytest.fixture(params=MODELS)
def literal(request):
    return with_two_heads(MODELS[request.param], 2)


@pytest.fixture
def model(literal):
    torch.manual_seed(0)
    model = build_model(literal)
    with torch.no_grad():  # the copied norm is no longer that of the last layer
        for name, parameter in model.named_parameters():
            if name.startswith("intermediate"):
                parameter.add_(torch.randn_like(parameter))
    return model.eval()


def test_the_shorter_model_equals_the_intermediate_head_bit_for_bit(literal, model):
    plain = build_model(truncated(literal)).eval()
    plain.load_state_dict(model.truncated_state())
    assert sum(p.numel() for p in plain.parameters()) < sum(p.numel() for p in model.parameters())
    (last, intermediate), lengths = model.both_heads(AUDIO, LENGTHS)
    expected, expected_lengths = plain(AUDIO, LENGTHS)
    assert torch.equal(lengths, expected_lengths)
    assert torch.equal(intermediate, expected)
    assert not torch.equal(last, expected)


def test_the_config_says_which_head_is_the_output(literal, model):
    (last, intermediate), _ = model.both_heads(AUDIO, LENGTHS)
    other = build_model({**literal, "head": "intermediate"}).eval()
    other.load_state_dict(model.state_dict())
    assert torch.equal(model(AUDIO, LENGTHS)[0], last)
    assert torch.equal(other(AUDIO, LENGTHS)[0], intermediate)


def test_the_last_head_is_that_of_the_plain_model(literal, model):
    whole = {name: value for name, value in literal.items() if name != "layer"}
    plain = build_model({**whole, "class": truncated(literal)["class"]}).eval()
    plain.load_state_dict({name: v for name, v in model.state_dict().items() if not name.startswith("intermediate")})
    assert torch.equal(plain(AUDIO, LENGTHS)[0], model(AUDIO, LENGTHS)[0])


def test_heads_share_the_dropout_below_them_unless_it_is_to_be_independent():
    torch.manual_seed(0)
    model = build_model(with_two_heads({**STUDENT, "spec_augment": None}, 2)).train()
    inner = []
    model.conformer.blocks[1].register_forward_hook(lambda module, inputs, output: inner.append(output))
    model.both_heads(AUDIO, LENGTHS)
    assert len(inner) == 1
    model.both_heads(AUDIO, LENGTHS, independent_dropout=True)
    assert len(inner) == 3
    assert not torch.equal(inner[1], inner[2])


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (with_two_heads(STUDENT, 3), "layer 3: expected at least 1 layer .*, and fewer than the model's 3"),
        (with_two_heads(STUDENT, 0), "layer 0: expected"),
        ({**with_two_heads(STUDENT, 1), "head": "first"}, "head 'first': expected one of last, intermediate"),
        (with_two_heads({**encoder(WHISPER), "encoder_options": {}}, 1), "keeps all its layers"),
    ],
)
def test_a_wrong_head_is_named(model, fault):
    with pytest.raises(ValueError, match=fault):
        check_model(model)


def test_a_finished_model_has_no_second_head():
    with pytest.raises(ValueError, match="a HamaCtc has no second head; expected one of StudentCtc, SpeechEncoderCtc"):
        with_two_heads({"class": "HamaCtc"}, 1)
