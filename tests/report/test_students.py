"""The report on students shows what was measured, and which student is best."""

import pytest
from sisyphus import tk

from ctc_kd.files import read_json
from ctc_kd.report.students import Column, StudentsReportJob

COLUMNS = {
    "ler": Column("LER [%]", "label errors against the teacher"),
    "agreement": Column(
        "equal frames [%]", "share of frames with the teacher's label", "max", factor=100, gap="the teacher is silent"
    ),
    "wer": Column("WER [%]", "word errors"),
}


@pytest.fixture
def report(run_report):
    def make(rows, **more):
        return run_report(StudentsReportJob(title="Students of <it>", columns=COLUMNS, rows=rows, **more))

    return make


def test_the_best_student_is_bold_and_the_teacher_does_not_compete(report, tmp_path):
    (tmp_path / "value").write_text("12.34")
    measured = tk.Variable(str(tmp_path / "value"))
    read = report(
        {
            "Teacher": {"ler": 0.0, "agreement": 1.0},
            "Plain KD": {"ler": measured, "agreement": 0.9},
            "Blank elimination": {"ler": 15.0, "agreement": 0.91},
        },
        teachers=["Teacher"],
        notes=["Nobody read a transcript."],
    )
    lines = read("table.md").splitlines()
    assert lines[0] == "| Model | LER [%] | equal frames [%] |"
    assert lines[2:5] == [
        "| Teacher | 0.0 | 100.0 |",
        "| Plain KD | **12.3** | 90.0 |",
        "| Blank elimination | 15.0 | **91.0** |",
    ]
    html = read("index.html")
    assert "<b>12.3</b>" in html and "<b>91.0</b>" in html and "<b>0.0</b>" not in html
    assert "Students of &lt;it&gt;" in html and "Nobody read a transcript." in html and "WER" not in html


def test_a_row_may_lack_a_column(report):
    read = report({"A": {"ler": 1.0}, "B": {"ler": 2.0, "wer": 3.0}})
    assert read("table.md").splitlines()[2:4] == ["| A | **1.0** | – |", "| B | 2.0 | **3.0** |"]


def test_results_can_be_read_by_programs(run_here):
    job = run_here(StudentsReportJob(title="t", columns=COLUMNS, rows={"A": {"ler": 1.5}}))
    assert read_json(f"{job.out_report.get_path()}/results.json") == {"A": {"ler": 1.5}}


def test_what_is_undefined_is_a_gap_with_a_reason(report):
    read = report({"A": {"ler": 1.0, "agreement": None}, "B": {"ler": 2.0, "agreement": 0.5}})
    assert read("table.md").splitlines()[2:4] == ["| A | **1.0** | – |", "| B | 2.0 | **50.0** |"]
    assert "–: the teacher is silent." in read("table.md") and "–: the teacher is silent." in read("index.html")


def test_a_column_that_no_row_defines_stays(report):
    read = report({"A": {"ler": 1.0, "agreement": None}, "B": {"ler": 2.0, "agreement": None}})
    assert read("table.md").splitlines()[2:4] == ["| A | **1.0** | – |", "| B | 2.0 | – |"]
    assert "silent" not in report({"A": {"ler": 1.0, "agreement": 0.5}, "B": {"ler": 2.0}})("table.md")


def test_what_all_students_share_is_not_bold(report):
    read = report({"Teacher": {"ler": 0.0}, "A": {"ler": 1.0}, "B": {"ler": 1.0, "wer": 3.0}}, teachers=["Teacher"])
    assert read("table.md").splitlines()[2:5] == ["| Teacher | 0.0 | – |", "| A | 1.0 | – |", "| B | 1.0 | **3.0** |"]
