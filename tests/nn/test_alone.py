"""Which encoders let padding change their logits, and that each utterance alone has the logits of no batch."""

import pytest
import torch

from ctc_kd.nn.alone import batch_dependence, each_alone
from ctc_kd.nn.config import StudentConfig, TeacherConfig
from ctc_kd.nn.student import StudentCtc
from ctc_kd.nn.teacher import SpeechEncoderCtc
from tiny_encoders import CONVOLUTIONAL, STABLE

WHISPER = {"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}


def teacher(model_type, fields, **options):
    torch.manual_seed(0)
    model = SpeechEncoderCtc(TeacherConfig({"model_type": model_type, **fields}, 7, **options)).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):  # as after a training
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return model


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize("model_type", ["hubert", "wav2vec2", "wavlm", "unispeech-sat", "whisper"])
def test_padding_does_not_change_these(model_type):
    fields = WHISPER if model_type == "whisper" else STABLE
    assert batch_dependence(teacher(model_type, fields)) < 1e-4


def test_padding_does_not_change_the_student():
    conformer = {"num_layers": 1, "dim": 16, "num_heads": 2, "feed_forward_dim": 16, "kernel_size": 3}
    student = StudentConfig.from_dict({"num_labels_with_blank": 7, "conformer": conformer})
    assert batch_dependence(StudentCtc(student).eval()) < 1e-4


DEPENDENT = {
    "group norm": ("hubert", CONVOLUTIONAL, {}),
    "batch norm": ("hubert", {**STABLE, "conv_pos_batch_norm": True}, {}),
    "no attention mask": ("hubert", STABLE, {"attention_mask": False}),
    "data2vec": ("data2vec-audio", {**CONVOLUTIONAL, "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 7}, {}),
    "conformer, rotary": ("wav2vec2-conformer", {**STABLE, "position_embeddings_type": "rotary"}, {}),
    "conformer, relative": ("wav2vec2-conformer", {**STABLE, "position_embeddings_type": "relative"}, {}),
}


@pytest.mark.parametrize(("model_type", "fields", "options"), DEPENDENT.values(), ids=DEPENDENT)
def test_padding_changes_these_but_not_each_alone(model_type, fields, options):
    model = teacher(model_type, fields, **options)
    assert batch_dependence(model) > 0.01
    audio, lengths = torch.randn(3, 12000), torch.tensor([7000, 12000, 3333])
    logits, frames = each_alone(model, audio, lengths)
    assert logits.shape == (3, int(frames.max()), 7)
    for i, length in enumerate(lengths.tolist()):
        expected, num_frames = model(audio[i : i + 1, :length], lengths[i : i + 1])
        torch.testing.assert_close(logits[i, : frames[i]], expected[0])
        assert frames[i] == num_frames[0]


def test_the_probe_leaves_the_random_numbers_alone():
    model = teacher("hubert", STABLE)
    torch.manual_seed(1)
    batch_dependence(model)
    first = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), first)
