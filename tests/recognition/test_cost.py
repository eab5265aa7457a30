"""What a student's folder costs is counted of a process of its own."""

import json
import subprocess
from dataclasses import asdict

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import load_file

from ctc_kd.recognition import cost, folder
from ctc_kd.recognition.cost import Cost, Run, TimedRecogniser, cost_of_this_process, costs
from levels import spoken
from levels import student as levels_student


@pytest.fixture
def recordings(tmp_path):
    found = []
    for seconds in (1.0, 2.5):
        found.append(str(tmp_path / f"{seconds}.wav"))
        noise = 0.1 * np.random.default_rng(0).standard_normal(round(16000 * seconds))
        soundfile.write(found[-1], noise, 16000)
    return found


def test_all_figures_of_a_folder(student, recordings, monkeypatch):
    monkeypatch.setattr(cost, "ROUNDS", 1)
    found = costs({"a": str(student.written)}, recordings, threads=[1, 2])["a"]
    weights = load_file(student.written / folder.WEIGHTS)
    trained = {"frontend", "conformer", "output"}
    assert found.parameters == sum(value.size for name, value in weights.items() if name.split(".")[0] in trained)
    assert found.megabytes == (student.written / folder.WEIGHTS).stat().st_size / 1e6
    assert (found.recordings, found.audio_s) == (2, 3.5)
    assert found.processor and found.versions["torch"] == torch.__version__
    assert [run.threads for run in found.runs] == [1, 2]
    for run in found.runs:
        assert 0 < run.model_rtf < run.rtf
        assert 50 < run.libraries_mib < run.peak_mib
        assert 0 <= run.waited <= 1


def test_models_take_turns_and_the_fastest_round_counts(monkeypatch):
    asked, times = [], {"a": iter([3.0, 5.0, 4.0]), "b": iter([9.0, 8.0, 7.0])}

    def measured(path, recordings, threads):
        asked.append(path)
        run = Run(threads, model_rtf=1.0, rtf=next(times[path]), peak_mib=2.0, libraries_mib=1.0, waited=0.0)
        return Cost(1, 1.0, len(recordings), 1.0, (run,), "processor", {})

    monkeypatch.setattr(cost, "_cost_of_a_process", measured)
    found = costs({"first": "a", "second": "b"}, ["1.wav"], threads=[1])
    assert asked == ["a", "b"] * 3
    assert [found[name].runs[0].rtf for name in ("first", "second")] == [3.0, 7.0]


def test_json_and_back(student, recordings):
    found = cost_of_this_process(str(student.written), recordings)
    assert Cost.from_json(json.loads(json.dumps(asdict(found)))) == found


def test_a_folder_that_is_none(tmp_path, recordings, capfd):
    with pytest.raises(subprocess.CalledProcessError):
        costs({"a": str(tmp_path)}, recordings, threads=[1])
    assert f"{tmp_path}/config.json" in capfd.readouterr().err


def test_the_time_of_the_model_is_a_part_of_all(tmp_path):
    soundfile.write(tmp_path / "a.wav", spoken("_" * 8 + "A_B" + "_" * 8), 16000)
    recogniser = TimedRecogniser(levels_student(), clock=iter(range(100)).__next__)
    assert recogniser.seconds(str(tmp_path / "a.wav")) == (1, 3)  # from tick 1 to 2, and from tick 0 to 3
    assert recogniser.seconds(str(tmp_path / "a.wav")) == (1, 3)
