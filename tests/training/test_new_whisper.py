"""A first Whisper: its tokenizer, how it is trained alone, and what reads its folder."""

import numpy as np
import pytest
import torch
from sisyphus import tk

from ctc_kd.nn.token_losses import IGNORED
from ctc_kd.training.build import build_model
from ctc_kd.training.new_whisper import SPECIAL, NewWhisperJob, learnt_tokenizer
from ctc_kd.training.train_tokens import FirstWhisper, SaveWhisperJob, TrainWhisperJob, WhisperStudent
from ctc_kd.training.whisper_models import build_whisper

ENCODER = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
SIZE = {**ENCODER, "decoder_layers": 3, "decoder_attention_heads": 2, "decoder_ffn_dim": 16}
SENTENCES = ["the theory of that thing", "a quiet thing"]


@pytest.fixture
def folder(run_here, tmp_path):
    (tmp_path / "text.txt").write_text("THE THEORY OF THAT THING\nA QUIET THING\n")
    job = NewWhisperJob(texts=[tk.Path(str(tmp_path / "text.txt"))], size=SIZE, pieces=12)
    return run_here(job).out_model.get_path()


def test_words_never_need_the_token_of_a_space_alone():
    tokenizer = learnt_tokenizer(SENTENCES, pieces=12)
    for sentence in SENTENCES:
        found = tokenizer.encode(f" {sentence}", add_special_tokens=False)
        assert "Ġ" not in found.tokens and tokenizer.decode(found.ids) == f" {sentence}"
    end = tokenizer.token_to_id(SPECIAL[0])
    assert max(found.ids) < end < tokenizer.token_to_id("<|notimestamps|>") < tokenizer.token_to_id("<|0.00|>")
    with pytest.raises(ValueError, match="expected at least 4"):
        learnt_tokenizer(SENTENCES, pieces=3)


def test_faster_whisper_decodes_with_it(run_here, folder):
    from ctc_kd.pseudo_labels.convert import ConvertWhisperJob
    from ctc_kd.pseudo_labels.whisper import GREEDY, FasterWhisper

    converted = run_here(ConvertWhisperJob(model=tk.Path(folder))).out_model.get_path()
    whisper = FasterWhisper(converted, language="en", decoding=GREEDY, threads=1)
    assert whisper.decode(np.zeros(16000, "float32"))["language"] == "en"


def test_a_model_may_read_less_than_30_seconds_at_once(run_here, tmp_path):
    from ctc_kd.pseudo_labels.convert import ConvertWhisperJob
    from ctc_kd.pseudo_labels.whisper import GREEDY, FasterWhisper

    (tmp_path / "text.txt").write_text("THE THEORY OF THAT THING\n")
    short = {**SIZE, "max_source_positions": 200, "num_mel_bins": 128}
    job = run_here(NewWhisperJob(texts=[tk.Path(str(tmp_path / "text.txt"))], size=short, pieces=12))
    model = build_whisper({"model": job.out_model.get_path(), "encoder": None})
    assert model.features(torch.randn(1, 100_000), torch.tensor([100_000])).shape[1] == 400
    converted = run_here(ConvertWhisperJob(model=job.out_model)).out_model.get_path()
    whisper = FasterWhisper(converted, language="en", decoding=GREEDY, threads=1)
    assert whisper.model.encode(np.zeros((128, 3000), "float32")).shape == [1, 200, 16]
    assert whisper.decode(np.zeros(16000, "float32"))["language"] == "en"


def test_a_model_reads_whole_seconds():
    with pytest.raises(ValueError, match="max_source_positions 220: expected a multiple of 50"):
        NewWhisperJob(texts=[], size={**SIZE, "max_source_positions": 220}, pieces=12)


def test_alone_it_computes_what_transformers_computes(folder):
    model = build_whisper({"model": folder, "encoder": None}).eval()
    features = torch.randn(2, 3000, 80)
    tokens = torch.tensor([[3, 5, 7, 9], [3, 6, IGNORED, IGNORED]])
    logits, teacher = model(features, tokens)
    ends = tokens[:, :-1].masked_fill(tokens[:, :-1] == IGNORED, model.student.config.pad_token_id)
    expected = model.student(input_features=features.transpose(1, 2), decoder_input_ids=ends).logits
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert teacher is None
    masked = build_whisper({"model": folder, "encoder": None, "masked": 1.0}).train()
    torch.manual_seed(0)
    first = masked(features, tokens)[0]
    torch.manual_seed(0)
    torch.testing.assert_close(masked(features, tokens + 1 - (tokens == 3).long())[0], first)  # only the first is read


def test_what_lies_behind_an_utterance_is_zero_or_silence(folder):
    """The loss of dev is of silence, so that it is the same whenever it is computed."""
    model = build_whisper({"model": folder, "encoder": None}).train()
    audio, lengths = torch.randn(2, 8000), torch.tensor([8000, 3200])
    torch.manual_seed(0)
    for kinds in ({True, False}, {False}):
        assert {bool((model.features(audio, lengths)[1, 20:] == 0).all()) for _ in range(20)} == kinds
        model.eval()
    assert model.features(audio, lengths).shape[1] == 3000


def test_its_encoder_may_come_from_a_ctc_model(folder, tmp_path):
    literal = {"class": "SpeechEncoderCtc", "encoder": {"model_type": "whisper", **ENCODER}}
    ctc = build_model({**literal, "num_labels_with_blank": 5})
    torch.save({"model": ctc.state_dict()}, tmp_path / "epoch.pt")
    model = build_whisper({"model": folder, "encoder": str(tmp_path / "epoch.pt")})
    torch.testing.assert_close(model.student.model.encoder.state_dict(), ctc.encoder.encoder.state_dict())
    model.train()(torch.randn(1, 40, 80), torch.tensor([[3, 5, 7]]))[0].sum().backward()
    trained = {name.split(".")[1] for name, weight in model.student.named_parameters() if weight.grad is not None}
    assert trained == {"decoder"}


def test_an_untrained_student_has_the_first_and_the_last_layer(run_here, folder):
    from transformers import WhisperForConditionalGeneration

    job = run_here(SaveWhisperJob(student=WhisperStudent(tk.Path(folder))))
    ours, theirs = (WhisperForConditionalGeneration.from_pretrained(one) for one in (job.out_model.get_path(), folder))
    kept = [ours.model.decoder.layers, [theirs.model.decoder.layers[layer] for layer in (0, 2)]]
    for own, original in zip(*kept, strict=True):
        torch.testing.assert_close(own.state_dict(), original.state_dict())


def test_nobody_diverges_from_a_teacher_that_is_not_there():
    path = tk.Path("/x")
    with pytest.raises(ValueError, match="a first model has none, set kl_scale 0"):
        TrainWhisperJob(
            student=FirstWhisper(path),
            loss={"ce_scale": 1.0},
            training=None,
            audio=[path],
            dev_audio=path,
            tokens=path,
            dev_tokens=path,
        )
