"""The table of Whisper models on the same recordings."""

import json

import pytest
from sisyphus import tk

from ctc_kd.report.long_form import LongForm, LongFormReportJob

COUNTS = {"deletions": 4, "insertions": 1, "substitutions": 5, "units": 90, "missed_units": 10, "loops": 0}


def test_missed_units_are_deleted_and_students_stand_beside_the_teacher(run_here, tmp_path):
    models = {}
    for name, (substitutions, seconds) in {"Teacher": (5, 90.0), "All": (0, 30.0)}.items():
        counts = {**COUNTS, "substitutions": substitutions, "characters": None, "words": 11.1}
        (tmp_path / f"{name}.counts").write_text(json.dumps(counts))
        (tmp_path / f"{name}.cost").write_text(json.dumps({"hours": 0.5, "decoding_s": seconds}))
        files = [tk.Path(str(tmp_path / f"{name}.{kind}")) for kind in ("counts", "cost")]
        models[name] = LongForm(*files, published=-7.0 if name == "All" else None)
    report = tmp_path / run_here(LongFormReportJob(title="Students", models=models)).out_report.get_path()
    found = json.loads((report / "results.json").read_text())
    assert (found["Teacher"]["mer"], found["All"]["mer"]) == (20.0, 15.0)  # 4 + 10, 1 and 5 of 100
    assert found["Teacher"]["deletions"] == 14.0
    assert found["All"]["change"] == pytest.approx(-25.0) and found["All"]["speed"] == pytest.approx(3.0)
    assert found["Teacher"]["real_time"] == pytest.approx(0.05)
    head, _, teacher, student = (report / "table.md").read_text().splitlines()
    assert "Mandarin" not in head and "paper [%]" in head
    assert student.startswith("| All | 15.0 | -25.0 | -7.0 |") and teacher.startswith("| Teacher | 20.0 | – | – |")
