"""A tiny Whisper is distilled by RETURNN, and its student leaves as a folder of transformers."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from sisyphus import tk

from cpu_jobs import on_cpu
from ctc_kd.files import read_json
from ctc_kd.nn.token_losses import IGNORED, TokenLoss
from ctc_kd.store import HdfWriter
from ctc_kd.training.train_tokens import TrainWhisperJob, WhisperStudent
from ctc_kd.training.training_config import TrainingConfig
from tiny_whisper import save_whisper


def write_tokens(path, archive, size):
    """The tokens of ``archive``'s utterances: one of two texts, as if the teacher had written it."""
    from transformers import AutoTokenizer

    from ctc_kd.training.datasets import utterance_durations

    tokenizer = AutoTokenizer.from_pretrained(path.parent / "whisper")
    names = ["<|startoftranscript|>", "<|notimestamps|>", "a", "b", "a", "<|endoftext|>"]
    with HdfWriter(path, labels=[str(index) for index in range(size)], metadata={"prompt": 1}) as store:
        for number, utterance in enumerate(utterance_durations([archive.get_path()])):
            chosen = names if number % 2 else names[:3] + names[-1:]
            store.add(utterance, np.array(tokenizer.convert_tokens_to_ids(chosen), "int32"))
    return tk.Path(str(path))


@pytest.fixture
def trained(run_here, tmp_path, tiny, monkeypatch):
    teacher = save_whisper(tmp_path / "whisper", seconds=2)
    from transformers import AutoConfig

    size = AutoConfig.from_pretrained(teacher).vocab_size
    stores = {part: write_tokens(tmp_path / f"{part}.hdf", getattr(tiny, part), size) for part in ("train", "dev")}
    job = TrainWhisperJob(
        student=WhisperStudent(tk.Path(teacher), decoder_layers=1),
        loss=asdict(TokenLoss()),
        training=TrainingConfig(learning_rates=(1e-2,) * 2, partition_epoch=1, batch_seconds=10),
        audio=[tiny.train],
        dev_audio=tiny.dev,
        tokens=stores["train"],
        dev_tokens=stores["dev"],
    )
    monkeypatch.setattr(job, "run", lambda: [TrainWhisperJob.run(job), job.save()])
    return run_here(on_cpu(job)), teacher


@pytest.mark.slow
def test_the_student_learns_to_write_the_labels(trained):
    from transformers import AutoTokenizer, WhisperForConditionalGeneration

    job, teacher = trained
    first, last = (epoch["scores"] for epoch in read_json(job.out_curves.get_path()))
    assert first["train_loss_kl"] < 0.1  # a student with all layers is its teacher
    assert last["dev_loss_ce"] < first["dev_loss_ce"]
    student, original = (
        WhisperForConditionalGeneration.from_pretrained(folder) for folder in (job.out_student.get_path(), teacher)
    )
    torch.testing.assert_close(student.model.encoder.state_dict(), original.model.encoder.state_dict())
    changed = student.model.decoder.layers[0].fc1.weight - original.model.decoder.layers[0].fc1.weight
    assert float(changed.detach().abs().max()) > 1e-3
    assert AutoTokenizer.from_pretrained(job.out_student.get_path()).convert_tokens_to_ids("<|0.02|>") > 0


def test_padding_has_no_target():
    from ctc_kd.training.token_steps import masked

    tokens = masked(torch.tensor([[1, 2, 3], [4, 0, 0]], dtype=torch.int32), torch.tensor([3, 1]))
    assert tokens.tolist() == [[1, 2, 3], [4, IGNORED, IGNORED]]


def test_features_do_not_depend_on_the_precision_of_a_training(tmp_path):
    from ctc_kd.training.whisper_models import WhisperTraining

    model = WhisperTraining(teacher=save_whisper(tmp_path / "whisper", seconds=2), decoder_layers=1)
    audio, lengths = torch.randn(2, 8000, generator=torch.Generator().manual_seed(0)), torch.tensor([8000, 5000])
    expected = model.features(audio, lengths)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(model.features(audio, lengths), expected, rtol=0, atol=0)


def test_spec_augment_masks_what_training_hears(tmp_path):
    from ctc_kd.nn.config import SpecAugmentConfig
    from ctc_kd.training.whisper_models import build_whisper

    teacher = save_whisper(tmp_path / "whisper", seconds=2)
    audio, lengths = torch.randn(2, 32000, generator=torch.Generator().manual_seed(0)), torch.tensor([32000, 16000])
    plain = build_whisper(WhisperStudent(teacher, decoder_layers=1).literal()).train().features(audio, lengths)
    model = build_whisper(WhisperStudent(teacher, decoder_layers=1, masks=SpecAugmentConfig()).literal())
    masked = model.train().features(audio, lengths)
    changed = masked != plain
    assert (masked[changed] == 0).all() and changed.any(dim=2).any() and changed.any(dim=1).any()
    torch.testing.assert_close(model.eval().features(audio, lengths), plain, rtol=0, atol=0)
