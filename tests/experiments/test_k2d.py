"""The graph of K2D: what is labelled, validated and kept, and who reads references."""

import pytest
from sisyphus import tk

from ctc_kd.experiments import k2d as experiment
from ctc_kd.experiments import k2d_students
from ctc_kd.experiments.corpora import Part
from ctc_kd.experiments.k2d import Recordings, k2d
from ctc_kd.experiments.k2d_models import own_whisper, validators_of
from ctc_kd.experiments.k2d_students import k2d_with_students, whisper_student
from ctc_kd.experiments.requests import jobs_behind
from ctc_kd.training.train_tokens import WhisperStudent
from ctc_kd.training.training_config import TrainingConfig

HAMA = {"kind": "ctc", "model": {"class": "HamaCtc"}}


@pytest.fixture
def registered(monkeypatch):
    found = {}
    for module in (experiment, k2d_students):
        monkeypatch.setattr(module, "register_outputs", lambda outputs, **_: found.update(outputs))
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


def test_references_have_texts():
    with pytest.raises(ValueError, match="the references have no texts"):
        Recordings(tk.Path("/cuts"), Part(tk.Path("/reference_cuts"), None))


def test_a_student_learns_from_the_labels_of_its_own_teacher(registered):
    recordings = Recordings(tk.Path("/cuts"))
    teacher = "openai/whisper-base"
    kept = k2d(recordings, teacher=own_whisper(teacher).converted(), validators={"hama": HAMA}, name="talks")
    training = TrainingConfig(learning_rates=(1e-4,) * 2, partition_epoch=1, batch_seconds=120)
    student = WhisperStudent(teacher)
    job = whisper_student(kept["PER, hama"], recordings, student=student, training=training, name="talks/per")
    behind = jobs_behind([registered["k2d/talks/per/student"]])
    assert job in behind
    assert {one.model for one in behind if type(one).__name__ in ("ConvertWhisperJob", "TokensJob")} == {teacher}
    assert "ReferenceErrorsJob" not in {type(one).__name__ for one in behind}


def test_a_model_is_converted_unless_it_is_of_ctranslate2(tmp_path):
    assert own_whisper("large-v2").converted() == "large-v2"
    assert own_whisper("Systran/faster-whisper-base").converted() == "Systran/faster-whisper-base"
    mixed = own_whisper("openai/whisper-base").converted(mixed=["zh", "en"])
    assert mixed.creator.languages == ["zh", "en"]
    (tmp_path / "config.json").write_text("{}")
    folder = own_whisper(str(tmp_path))
    assert folder.converted().creator.model.get_path() == folder.trainable().get_path() == str(tmp_path)
    (tmp_path / "model.bin").touch()
    folder = own_whisper(str(tmp_path))
    assert folder.converted().creator is None
    with pytest.raises(ValueError, match="languages cannot be mixed; give a model of transformers"):
        folder.converted(mixed=["zh", "en"])
    with pytest.raises(ValueError, match="cannot teach a student; give a model of transformers"):
        folder.trainable()
    with pytest.raises(FileNotFoundError, match="expected a folder with a Whisper model"):
        own_whisper("./no/such/model")


def test_validators_have_names_of_their_own():
    with pytest.raises(ValueError, match="several validators are called best: expected other last names"):
        validators_of(Recordings(tk.Path("/cuts")), [], students=["a/students/best", "b/students/best/"])


def test_the_name_of_a_validator_is_no_list_of_letters():
    with pytest.raises(ValueError, match=r"expected a list of names: \['base'\]"):
        validators_of(Recordings(tk.Path("/cuts")), "base")


def distil(distilled=("All", "PER, hama"), test=None):
    recordings = Recordings(tk.Path("/cuts"), language="en")
    training = TrainingConfig(learning_rates=(1e-4,) * 2, partition_epoch=1, batch_seconds=120)
    teacher = own_whisper("openai/whisper-base")
    k2d_with_students(
        recordings, teacher, {"hama": HAMA}, name="talks", training=training, distilled=distilled, test=test
    )


def test_students_of_rules_are_compared_on_other_recordings(registered):
    references = Part(tk.Path("/reference_cuts"), tk.Path("/transcripts"))
    distil(test=Recordings(tk.Path("/test"), references, "en"))
    behind = jobs_behind([registered["k2d/talks/students"]])
    found = [type(job).__name__ for job in behind]
    assert (found.count("TrainWhisperJob"), found.count("SaveWhisperJob"), found.count("TranscribeJob")) == (2, 1, 5)
    assert {"k2d/talks/all/student", "k2d/talks/per-hama/student"} <= set(registered)


def test_students_need_a_rule_and_a_test(registered):
    with pytest.raises(ValueError, match="no rule 'MER, hama' to distil; expected one of: All; No loops; PER, hama"):
        distil(distilled=["MER, hama"])
    with pytest.raises(ValueError, match="give test="):
        distil()
