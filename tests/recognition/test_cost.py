"""What a student's folder costs is counted of a process of its own."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file

from ctc_kd.recognition import folder
from ctc_kd.recognition.cost import TimedRecogniser
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


def printed_by(*arguments, threads=1, check=True):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "ctc_kd.recognition.cost", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check)


@pytest.mark.parametrize("threads", [1, 2])
def test_all_figures_of_a_folder(student, recordings, threads):
    found = json.loads(printed_by(student.written, *recordings, threads=threads).stdout)
    weights = load_file(student.written / folder.WEIGHTS)
    buffers = {"frontend", "conformer", "output"}  # what has parameters; batch norms would have other tensors, too
    assert found["parameters"] == sum(value.size for name, value in weights.items() if name.split(".")[0] in buffers)
    assert found["megabytes"] == (student.written / folder.WEIGHTS).stat().st_size / 1e6
    assert found["audio_s"] == 3.5
    run = found["run"]
    assert run["threads"] == threads
    assert 0 < run["model_rtf"] < run["rtf"]
    assert 50 < run["libraries_mib"] < run["peak_mib"]
    assert 0 <= run["waited"] <= 1


def test_a_folder_that_is_none(tmp_path, recordings):
    found = printed_by(tmp_path, *recordings, check=False)
    assert found.returncode == 1 and f"{tmp_path}/config.json" in found.stderr and found.stdout == ""


def test_the_time_of_the_model_is_a_part_of_all(tmp_path):
    soundfile.write(tmp_path / "a.wav", spoken("_" * 8 + "A_B" + "_" * 8), 16000)
    recogniser = TimedRecogniser(levels_student(), clock=iter(range(100)).__next__)
    assert recogniser.seconds(str(tmp_path / "a.wav")) == (1, 3)  # from tick 1 to 2, and from tick 0 to 3
    assert recogniser.seconds(str(tmp_path / "a.wav")) == (1, 3)
