import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.analysis.agreement import FrameAgreementJob
from ctc_kd.inventory import Inventory
from ctc_kd.store import HdfWriter

LABELS = Inventory("characters", ("a", "_", "b"), blank=1)
PATHS = st.lists(st.integers(0, 2), min_size=1, max_size=6)


def write(path, utterances):
    with HdfWriter(path, labels=LABELS.labels, metadata={"inventory": LABELS.facts()}) as store:
        for utterance, labels in utterances.items():
            store.add(utterance, np.eye(3, dtype="float16")[labels])
    return tk.Path(str(path))


def agreement(run_here, folder, student, teacher):
    job = FrameAgreementJob(student=write(folder / "s.hdf", student), teacher=write(folder / "t.hdf", teacher))
    return json.loads(Path(run_here(job).out_agreement.get_path()).read_text())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PATHS, min_size=1, max_size=3), st.data())
def test_counts_equal_labels(run_here, tmp_path, teacher, data):
    student = [[data.draw(st.integers(0, 2)) for _ in path] for path in teacher]
    found = agreement(run_here, tmp_path, *(dict(zip("xyz", paths, strict=False)) for paths in (student, teacher)))
    pairs = [pair for paths in zip(teacher, student, strict=True) for pair in zip(*paths, strict=True)]
    spoken = [pair for pair in pairs if pair[0] != 1]
    assert (found["frames"], found["label_frames"]) == (len(pairs), len(spoken))
    assert found["share"] == 100 * sum(a == b for a, b in pairs) / len(pairs)
    assert found["label_share"] == (100 * sum(a == b for a, b in spoken) / len(spoken) if spoken else None)


def test_one_frame_more_is_left_out_and_so_are_other_utterances(run_here, tmp_path):
    found = agreement(run_here, tmp_path, {"x": [0, 1, 2], "y": [0]}, {"x": [0, 1], "z": [1]})
    assert (found["frames"], found["share"], found["utterances"], found["left_out"]) == (2, 100.0, 1, 2)


def test_other_frame_shifts_are_refused(run_here, tmp_path):
    with pytest.raises(ValueError, match="utterance x has 2 frames of the teacher and 4 of the student"):
        agreement(run_here, tmp_path, {"x": [0, 1, 2, 1]}, {"x": [0, 1]})
    with pytest.raises(ValueError, match="no frames to compare"):
        agreement(run_here, tmp_path, {"x": [0]}, {"y": [0]})
