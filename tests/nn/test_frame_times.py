"""When the frames of teachers and students are: known figures, and the samples that a frame depends on."""

import pytest
import torch
from transformers import HubertConfig, WhisperConfig

from ctc_kd.experiments.demo import DEMO_ENCODER
from ctc_kd.frames import (
    FRAME_SHIFT_S,
    SAMPLE_RATE_HZ,
    SUBSAMPLING,
    first_centre_s,
    frame_shift_s,
    min_samples,
    num_frames,
    student_centre_s,
)
from ctc_kd.nn.config import ConformerConfig, StudentConfig, TeacherConfig, VggConfig
from ctc_kd.nn.student import StudentCtc
from ctc_kd.nn.teacher import SpeechEncoderCtc, convolution_layers

SMALL_HUBERT = {
    "model_type": "hubert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 8,
    "conv_dim": [8] * 7,
    "feat_extract_norm": "layer",
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
SMALL_WHISPER = {
    "model_type": "whisper",
    "d_model": 8,
    "encoder_layers": 1,
    "encoder_attention_heads": 1,
    "encoder_ffn_dim": 8,
    "num_mel_bins": 20,
    "pad_token_id": 0,
}


def teacher(encoder, **options):
    return SpeechEncoderCtc(TeacherConfig(encoder, 7, **options)).eval()


def student_with(subsampling):
    conformer = ConformerConfig(1, dim=16, num_heads=2, feed_forward_dim=16)
    return StudentCtc(StudentConfig(7, frontend=VggConfig(subsampling=subsampling), conformer=conformer)).eval()


@pytest.fixture
def student():
    return student_with(SUBSAMPLING)


@pytest.mark.parametrize(
    ("encoder", "milliseconds"), [(SMALL_HUBERT, 22.5), (SMALL_WHISPER, 10.0), (DEMO_ENCODER.get_path(), 36.5)]
)
def test_known_figures_of_teachers(encoder, milliseconds):
    assert 1000 * teacher(encoder).first_centre_s == pytest.approx(milliseconds, abs=0.05)


@pytest.mark.parametrize("pooling", [1, 2, 3])
@pytest.mark.parametrize("encoder", [SMALL_HUBERT, SMALL_WHISPER])
def test_a_teacher_says_how_many_windows_make_its_frames(encoder, pooling):
    model = teacher(encoder, pooling=pooling)
    assert frame_shift_s(model.cfg.subsampling) == pytest.approx(model.frame_shift_s)


def test_the_students(student):
    assert student.first_centre_s == student_centre_s(SUBSAMPLING)
    assert 1000 * student.first_centre_s == pytest.approx(27.5, abs=0.05)


def test_large_encoders_are_like_the_small_ones_here():
    assert convolution_layers(HubertConfig()) == convolution_layers(teacher(SMALL_HUBERT).encoder.config)
    assert convolution_layers(WhisperConfig()) == convolution_layers(teacher(SMALL_WHISPER).encoder.config)


def seen(frames_of, num_samples, frame, *, every=16):
    """The middle of the samples that change a frame, in s.

    :param frames_of: ``[B, N]`` samples to ``[B, T, D]``
    :param every: which samples are tried
    """
    torch.manual_seed(0)
    probes = torch.eye(num_samples)[::every]
    audio = 0.1 * torch.randn(num_samples)
    with torch.no_grad():
        frames = frames_of(torch.cat([audio[None], audio + probes]))[:, frame]
    changing = (frames[1:] != frames[0]).any(dim=1).nonzero()[:, 0] * every
    return (changing[0] + changing[-1]).item() / 2 / SAMPLE_RATE_HZ


@pytest.mark.parametrize("subsampling", [2, 4, 8])
def test_samples_that_a_frame_of_the_student_sees(subsampling):
    student = student_with(subsampling)

    def frames_of(audio):
        features = student.log_mel(audio, torch.full((len(audio),), audio.shape[1]))
        return student.frontend(*features)[0]

    frame = 16 // subsampling
    expected = student_centre_s(subsampling) + frame * frame_shift_s(subsampling)
    assert seen(frames_of, 6000, frame, every=32) == pytest.approx(expected, abs=0.002)
    assert student.first_centre_s == student_centre_s(subsampling)
    assert student.frame_shift_s == frame_shift_s(subsampling)


@pytest.mark.parametrize("subsampling", [2, 4, 8])
def test_a_student_makes_as_many_frames_as_it_says(subsampling):
    student = student_with(subsampling)
    lengths = (880, 1519, *range(1520, 1520 + 1280, 80), 16239)
    for num_samples in (length for length in lengths if length >= min_samples(subsampling)):
        logits, frames = student(torch.randn(1, num_samples), torch.tensor([num_samples]))
        assert logits.shape[1] == frames.item() == num_frames(num_samples / SAMPLE_RATE_HZ, subsampling)


@pytest.mark.parametrize("subsampling", [0, 1, 3, 4.0, None])
def test_an_odd_subsampling_is_refused(subsampling):
    with pytest.raises(ValueError, match=f"subsampling {subsampling}: expected an even number of windows"):
        VggConfig(subsampling=subsampling)


def test_samples_that_a_frame_of_an_encoder_sees():
    hubert, whisper = teacher(SMALL_HUBERT), teacher(SMALL_WHISPER)
    convolved = {
        hubert: lambda audio: hubert.encoder.feature_extractor(audio).transpose(1, 2),
        whisper: lambda audio: whisper.encoder._convolutions(whisper.features(audio), None),
    }
    for model, frames_of in convolved.items():
        centre = first_centre_s(convolution_layers(model.encoder.config))
        assert seen(frames_of, 2000, 3) == pytest.approx(centre + 3 * FRAME_SHIFT_S / 2, abs=0.001)


def test_an_offset_moves_frames_of_whisper_near_those_of_the_student():
    plain, moved = teacher(SMALL_WHISPER), teacher(SMALL_WHISPER, pooling_offset=1)
    moved.load_state_dict(plain.state_dict())
    distance_s, left_s = (abs(model.first_centre_s - student_centre_s(SUBSAMPLING)) for model in (plain, moved))
    assert left_s < distance_s / 2
    audio, lengths = torch.randn(2, 9000), torch.tensor([9000, 5000])
    hidden = plain.encoder(plain.features(plain.prepare(audio, lengths)), lengths)
    pairs = torch.stack([hidden[:, t : t + 2].amax(dim=1) for t in range(1, hidden.shape[1] - 1, 2)], dim=1)
    logits, frames = moved(audio, lengths)
    torch.testing.assert_close(logits, moved.output(pairs))
    # the student has 13 and 7 frames; a teacher's may be one more
    assert frames.tolist() == [13, 7]


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("encoder", [SMALL_HUBERT, SMALL_WHISPER], ids=["hubert", "whisper"])
def test_frames_fit_those_of_the_student_at_any_length(student, encoder, offset):
    model = teacher(encoder, pooling_offset=offset)
    for num_samples in range(880, 880 + 1280, 40):
        audio, lengths = torch.randn(1, num_samples), torch.tensor([num_samples])
        (logits, frames), (_, ours) = model(audio, lengths), student(audio, lengths)
        assert logits.shape[1] == frames.item()
        assert abs(frames.item() - ours.item()) <= 1


@pytest.mark.parametrize("offset", [-1, 2, 0.5])
def test_an_offset_of_whole_output_frames_is_refused(offset):
    with pytest.raises(ValueError, match=f"pooling_offset {offset}: expected 0 or more, below pooling 2"):
        TeacherConfig("some/encoder", 7, pooling_offset=offset)
