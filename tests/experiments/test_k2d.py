"""The graph of K2D: what is labelled, validated and kept, and who reads references."""

import pytest
from sisyphus import tk

from ctc_kd.experiments import k2d as experiment
from ctc_kd.experiments.corpora import Part
from ctc_kd.experiments.k2d import Recordings, k2d, own_whisper, whisper_student
from ctc_kd.experiments.requests import jobs_behind
from ctc_kd.training.training_config import TrainingConfig

HAMA = {"kind": "ctc", "model": {"class": "HamaCtc"}}


@pytest.fixture
def registered(monkeypatch):
    found = {}
    monkeypatch.setattr(experiment, "register_outputs", lambda outputs, **_: found.update(outputs))
    return found


def whisper(model):
    return {"kind": "whisper", "model": model, "language": "zh"}


def graph(references=None):
    recordings = Recordings(tk.Path("/cuts"), references, ["zh", "en"])
    return k2d(recordings, teacher="large-v2", validators={"base": whisper("base"), "hama": HAMA}, name="talks")


def kinds(outputs):
    return [type(job).__name__ for job in jobs_behind(outputs)]


def test_each_validator_hears_once_and_phonemes_have_no_mixed_error_rate(registered):
    kept = graph()
    rows = ["All", "No loops", "MER, base", "PER, base", "composite, base", "PER, hama", "composite, hama"]
    assert list(kept) == rows
    found = kinds(registered.values())
    assert (found.count("ValidateJob"), found.count("TranscribeJob"), found.count("DistancesJob")) == (2, 1, 2)
    assert "ReferenceErrorsJob" not in found
    assert "k2d/talks/kept/composite-base/cuts.jsonl.gz" in registered


def test_references_are_read_by_the_report_alone(registered):
    references = Part(tk.Path("/reference_cuts"), tk.Path("/transcripts"))
    without = {row: part.cuts.creator.job_id() for row, part in graph().items()}
    kept = graph(references)
    assert {row: part.cuts.creator.job_id() for row, part in kept.items()} == without
    assert "ReferenceErrorsJob" not in kinds(path for part in kept.values() for path in part)
    assert "ReferenceErrorsJob" in kinds([registered["k2d/talks/report"]])


def test_a_student_learns_from_the_labels_of_its_own_teacher(registered):
    recordings = Recordings(tk.Path("/cuts"))
    teacher = "openai/whisper-base"
    kept = k2d(recordings, teacher=own_whisper(teacher), validators={"hama": HAMA}, name="talks")
    training = TrainingConfig(learning_rates=(1e-4,) * 2, partition_epoch=1, batch_seconds=120)
    job = whisper_student(
        kept["PER, hama"], recordings, teacher=teacher, language="en", training=training, name="talks/per"
    )
    behind = jobs_behind([registered["k2d/talks/per/student"]])
    assert job in behind
    assert {one.model for one in behind if type(one).__name__ in ("ConvertWhisperJob", "TokensJob")} == {teacher}
    assert "ReferenceErrorsJob" not in {type(one).__name__ for one in behind}


def test_a_model_is_converted_unless_it_is_of_ctranslate2(tmp_path):
    assert own_whisper("large-v2") == "large-v2"
    assert own_whisper("Systran/faster-whisper-base") == "Systran/faster-whisper-base"
    assert own_whisper("openai/whisper-base", mixed=["zh", "en"]).creator.languages == ["zh", "en"]
    (tmp_path / "config.json").write_text("{}")
    assert own_whisper(str(tmp_path)).creator.model.get_path() == str(tmp_path)
    (tmp_path / "model.bin").touch()
    assert own_whisper(str(tmp_path)).creator is None
    with pytest.raises(ValueError, match="languages cannot be mixed"):
        own_whisper(str(tmp_path), mixed=["zh", "en"])
    with pytest.raises(FileNotFoundError, match="expected a folder with a Whisper model"):
        own_whisper("./no/such/model")
