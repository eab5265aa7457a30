"""A Whisper student of a tiny teacher."""

import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from ctc_kd.nn.token_losses import IGNORED, TokenLoss
from ctc_kd.nn.whisper_student import WhisperDistillation, student_of

WIDTH = {"d_model": 8, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "encoder_attention_heads": 2}
SIZE = {**WIDTH, "decoder_attention_heads": 2, "encoder_layers": 1, "decoder_layers": 4, "num_mel_bins": 4}
TOKENS = {"vocab_size": 20, "pad_token_id": 19, "bos_token_id": 19, "eos_token_id": 19, "decoder_start_token_id": 18}
TARGETS = torch.tensor([[18, 3, 4, 5, 19], [18, 7, 19, IGNORED, IGNORED]])


@pytest.fixture
def teacher():
    torch.manual_seed(0)
    return WhisperForConditionalGeneration(WhisperConfig(**SIZE, **TOKENS, max_source_positions=10)).eval()


@pytest.fixture
def features():
    return torch.randn(2, 4, 20, generator=torch.Generator().manual_seed(0))


def test_the_student_has_the_first_and_the_last_layer(teacher):
    student = student_of(teacher)
    layers = teacher.model.decoder.layers
    for own, theirs in zip(student.model.decoder.layers, (layers[0], layers[3]), strict=True):
        torch.testing.assert_close(own.state_dict(), theirs.state_dict())
    torch.testing.assert_close(student.model.encoder.state_dict(), teacher.model.encoder.state_dict())
    with pytest.raises(ValueError, match="a student with 5 decoder layers of a teacher with 4: expected"):
        student_of(teacher, decoder_layers=5)


def test_times_of_words_come_from_heads_that_the_student_has(teacher):
    teacher.generation_config.alignment_heads = [[0, 1], [2, 0], [3, 1]]
    assert student_of(teacher).generation_config.alignment_heads == [[0, 1], [1, 1]]
    teacher.generation_config.alignment_heads = [[2, 0]]
    assert not hasattr(student_of(teacher).generation_config, "alignment_heads")


def test_logits_are_those_of_both_models_by_themselves(teacher, features):
    both = WhisperDistillation(teacher).eval()
    ours, theirs = both(features, TARGETS)
    for model, found in ((both.student, ours), (teacher, theirs)):
        expected = model(input_features=features, decoder_input_ids=TARGETS[:, :-1].clamp(min=0)).logits
        written = TARGETS[:, 1:] != IGNORED
        torch.testing.assert_close(found[written], expected[written])
    assert both(features, TARGETS, with_teacher=False)[1] is None


def test_training_moves_the_students_decoder_alone_towards_its_teacher(teacher, features):
    both = WhisperDistillation(teacher).train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    trained = [value for value in both.parameters() if value.requires_grad]
    assert trained and not any(value.requires_grad for value in teacher.parameters())
    loss, optimizer, values = TokenLoss(), torch.optim.Adam(trained, lr=1e-2), []
    for _ in range(15):
        value = loss.weighted_sum(loss(*both(features, TARGETS), TARGETS[:, 1:]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.8 * values[0]
    torch.testing.assert_close(teacher.state_dict(), before)
    assert not teacher.training and both.student.model.decoder.training


def test_the_student_is_saved_as_an_ordinary_whisper(teacher, features, tmp_path):
    both = WhisperDistillation(teacher).eval()
    both.student.save_pretrained(tmp_path)
    loaded = WhisperForConditionalGeneration.from_pretrained(tmp_path).eval()
    tokens = TARGETS[:, :-1].clamp(min=0)
    expected = both.student(input_features=features, decoder_input_ids=tokens).logits
    torch.testing.assert_close(loaded(input_features=features, decoder_input_ids=tokens).logits, expected)
