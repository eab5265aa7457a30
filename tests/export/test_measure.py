"""Exported models are measured on recordings of an archive."""

import zipfile
from dataclasses import asdict, replace

import pytest
import soundfile
from sisyphus import tk

from ctc_kd.export.measure import MeasureStudentsJob, unpacked
from ctc_kd.files import read_json
from ctc_kd.recognition import folder
from ctc_kd.report.record import Record, Score
from random_student import INVENTORIES, random_student, speech

SCORE = Score(12.5, 1, 1, 1, words=24, utterances=9)
RECORD = Record(
    *("island", "small", "all-l1", "all", None, 1.0, 2.0, "selected_frames", 42, 0.0, 0.0),
    dev=SCORE,
    test=None,
    published=None,
    training_seconds=9.0,
    epochs=3,
    num_parameters=7,
    job_ids={},
    uses_transcripts=False,
)


@pytest.fixture
def archive(tmp_path):
    """As OggZipJob writes it: recordings of 0.5, 1, 1.5, 2 and 2.5 s, and an index."""
    with zipfile.ZipFile(tmp_path / "audio.zip", "w") as content:
        for number in range(1, 6):
            soundfile.write(tmp_path / "part.flac", speech(8000 * number).numpy(), 16000)
            content.write(tmp_path / "part.flac", f"audio/utterance-{number}.flac")
        content.writestr("audio.txt", "[]")
    return str(tmp_path / "audio.zip")


def test_records_with_what_was_measured(run_here, archive, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ctc_kd.machine.cores", lambda: 2)
    monkeypatch.setattr("ctc_kd.recognition.cost.ROUNDS", 1)
    student = random_student()
    literal = {"class": "StudentCtc", **asdict(student.cfg)}
    found = {}
    for row in ("all-l1", "eliminate-l1"):
        found[row] = tk.Path(str(tmp_path / row))
        folder.write(
            str(tmp_path / row),
            model=literal,
            weights=student.state_dict(),
            inventory=INVENTORIES["characters"],
            decoding=folder.Decoding(),
            card="",
            facts=replace(RECORD, row=row, method=row.partition("-")[0]).to_json(),
        )
    job = run_here(MeasureStudentsJob(students=found, audio=tk.Path(archive), recordings=2))
    records = {name: Record.from_json(record) for name, record in read_json(job.out_records.get_path()).items()}
    assert list(records) == ["all-l1", "eliminate-l1"]
    for row, record in records.items():
        assert record == replace(RECORD, row=row, method=row.partition("-")[0], cost=record.cost)
        assert record.cost.parameters == sum(parameter.numel() for parameter in student.parameters())
        assert (record.cost.recordings, record.cost.audio_s) == (2, 0.5 + 1.5)
        assert [run.threads for run in record.cost.runs] == [1, 2]
    assert "eliminate-l1: Run(threads=2, " in capsys.readouterr().out


@pytest.mark.parametrize(("number", "names"), [(2, [1, 3]), (3, [1, 2, 4]), (5, [1, 2, 3, 4, 5]), (9, [1, 2, 3, 4, 5])])
def test_recordings_at_even_distances(archive, tmp_path, number, names):
    found = unpacked(archive, number, str(tmp_path / "unpacked"))
    assert found == [str(tmp_path / "unpacked" / "audio" / f"utterance-{name}.flac") for name in names]
    assert soundfile.info(found[0]).duration == 0.5


def test_nothing_to_measure(archive):
    with pytest.raises(ValueError, match="0 models and 24 recordings"):
        MeasureStudentsJob(students={}, audio=tk.Path(archive))
