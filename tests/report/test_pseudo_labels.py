"""The page about a filter of pseudo labels."""

import json

import numpy as np
import pytest
import soundfile
from sisyphus import tk

from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
from ctc_kd.pseudo_labels.filter import Rule
from ctc_kd.pseudo_labels.filter_job import FilterJob
from ctc_kd.pseudo_labels.pieces import Piece, Segment, write_lines_of_json, write_pieces
from ctc_kd.report.pseudo_labels import FilterRow, PseudoLabelsReportJob

DISTANCES = {"good": 0.0, "doubtful <b>": 0.3, "far": 1.5}
ERRORS = {"good": (0, 4), "doubtful <b>": (3, 4), "far": (4, 4)}


@pytest.fixture
def report(run_here, tmp_path):
    path = lambda name: tk.Path(str(tmp_path / name))
    pieces = [Piece("talk", "s", (Segment(50 * i, 50 * i + 50, text),)) for i, text in enumerate(DISTANCES)]
    write_pieces(path("pieces.jsonl.gz").get_path(), pieces)
    distances, errors = [], []
    for piece in pieces:
        distances.append(
            {"id": piece.id, "mer": DISTANCES[piece.text], "per": 0.0, "validator": "x", "phonemes": False}
        )
        wrong, units = ERRORS[piece.text]
        error = {"id": piece.id, "error_rate": wrong / units, "errors": wrong, "units": units, "reference": "a b c d"}
        errors.append(error)
    write_lines_of_json(path("distances.jsonl.gz").get_path(), distances)
    write_lines_of_json(path("errors.jsonl.gz").get_path(), errors)
    soundfile.write(tmp_path / "talk.flac", np.linspace(-1, 1, 3 * 16000), 16000)
    audio = {"audio": str(tmp_path / "talk.flac"), "num_samples": 3 * 16000, "sample_rate_hz": 16000}
    write_cuts(path("cuts.jsonl.gz").get_path(), [whole_recording_cut("talk", speaker="s", **audio)])
    for name, cost in {"teacher": 90.0, "validator": 20.0}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"hours": 1.0, "seconds_per_hour": cost}))
    rows = {}
    for name, rule in {"All": Rule(), "MER": Rule(metric="mer")}.items():
        scored = {"distances": path("distances.jsonl.gz")} if rule.metric else {}
        job = run_here(FilterJob(pieces=path("pieces.jsonl.gz"), rule=rule, **scored))
        cost = path("validator.json") if rule.metric else None
        outputs = path("pieces.jsonl.gz"), job.out_decisions, job.out_summary
        rows[name] = FilterRow(*outputs, errors=path("errors.jsonl.gz"), cost=cost, published=55.0)
    job = PseudoLabelsReportJob(title="Talks", rows=rows, cuts=path("cuts.jsonl.gz"), cost=path("teacher.json"))
    run_here(job)
    return tmp_path / job.out_report.get_path()


def test_the_numbers_are_those_of_what_is_kept(report):
    found = json.loads((report / "results.json").read_text())
    assert (found["All"]["mer"], found["MER"]["mer"]) == (pytest.approx(700 / 12), pytest.approx(300 / 8))
    assert (found["All"]["wrong"], found["MER"]["wrong"]) == (2, 1)
    assert found["MER"]["recall"] == 50.0 and found["MER"]["auroc"] == 1.0
    assert found["MER"]["dropped"] == "1 distance"
    assert found["MER"]["kept_share"] == pytest.approx(200 / 3)
    assert found["MER"]["highest"] == pytest.approx(50.0)  # at 0.3 to 0.9; below, less than half is kept
    assert "| MER | 66.7 | 55.0 |" in (report / "table.md").read_text()


def test_the_page_has_examples_to_read_and_to_listen_to(report):
    page = (report / "index.html").read_text()
    assert "doubtful &lt;b&gt;" in page and "doubtful <b>" not in page
    assert page.count("<audio") == 3
    assert sorted(path.name for path in (report / "audio").iterdir()) == [
        f"talk-{ms:08d}.flac" for ms in (0, 1000, 2000)
    ]
    samples, _ = soundfile.read(report / "audio" / "talk-00001000.flac")
    np.testing.assert_allclose(samples, np.linspace(-1, 1, 3 * 16000)[16000:32000], atol=1e-4)
    assert "Transcribing an hour of audio took 90 s." in page
