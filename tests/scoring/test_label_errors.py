import json
from pathlib import Path

import numpy as np
import pytest
from sisyphus import tk

from ctc_kd.inventory import Inventory
from ctc_kd.scoring.label_errors import LabelErrorRateJob
from ctc_kd.store import HdfWriter

LABELS = Inventory("characters", ("a", "_", "b", "<unk>"), blank=1, unspoken=("<unk>",))


def write(path, sequences, inventory=LABELS):
    with HdfWriter(path, labels=inventory.labels, metadata={"inventory": inventory.facts()}) as store:
        for utterance, sequence in sequences.items():
            store.add(utterance, sequence)
    return tk.Path(str(path))


def frames(*path):
    """Logits whose best labels are those of ``path``."""
    return np.eye(4, dtype="float16")[list(path)] * 5


def result(run_here, **stores):
    job = run_here(LabelErrorRateJob(**stores))
    found = json.loads(Path(job.out_counts.get_path()).read_text())
    assert job.out_rate.get() == found["rate"]
    return found


@pytest.fixture
def student(tmp_path):
    return write(tmp_path / "student.hdf", {"u1": frames(1, 0, 0, 1, 0, 3, 2), "u2": frames(2, 1), "u3": frames(0)})


def test_best_paths_against_label_sequences(run_here, tmp_path, student):
    labels = {"u2": np.array([2], "int32"), "u1": np.array([0, 2, 2, 0], "int32"), "u4": np.array([0], "int32")}
    found = result(run_here, hypotheses=student, references=write(tmp_path / "labels.hdf", labels))
    # u1 says "aab", its reference "abba": the second label is wrong, the last one missing
    assert found == {
        "rate": 40.0,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 0,
        "hits": 3,
        "labels": 5,
        "utterances": 2,
        "left_out": 2,
    }


def test_best_paths_against_those_of_a_teacher(run_here, tmp_path, student):
    teacher = write(tmp_path / "teacher.hdf", {"u1": frames(0, 1, 0, 2), "u2": frames(0, 2), "u3": frames(0, 0)})
    found = result(run_here, hypotheses=student, references=teacher)
    assert (found["hits"], found["deletions"], found["labels"], found["rate"]) == (5, 1, 6, pytest.approx(100 / 6))
    assert result(run_here, hypotheses=teacher, references=teacher)["rate"] == 0


def test_no_rate_against_a_silent_teacher(run_here, tmp_path, student, capsys):
    silent = write(tmp_path / "silent.hdf", {"u1": frames(1, 1), "u2": frames(1, 3)})
    found = result(run_here, hypotheses=student, references=silent)
    assert (found["rate"], found["labels"], found["insertions"]) == (None, 0, 4)
    assert "no rate: blank is all that" in capsys.readouterr().out


def test_stores_that_cannot_be_compared(run_here, tmp_path, student):
    others = write(tmp_path / "others.hdf", {"x": frames(0)})
    with pytest.raises(ValueError, match=r"student.hdf and .*others.hdf: no utterance is in both"):
        run_here(LabelErrorRateJob(hypotheses=student, references=others))
    swapped = Inventory("characters", ("b", "_", "a", "<unk>"), blank=1)
    with pytest.raises(ValueError, match=r"student.hdf: label 0 of 4 is a, but that of .*swapped.hdf is b"):
        references = write(tmp_path / "swapped.hdf", {"u1": frames(0)}, swapped)
        run_here(LabelErrorRateJob(hypotheses=student, references=references))
