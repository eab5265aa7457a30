"""The report on what distillation bought says what the records say."""

import json
import re

import pytest
from sisyphus import tk

from ctc_kd.files import read_json, write_json
from ctc_kd.recognition.cost import Cost, Run
from ctc_kd.report.cost import CostReportJob, more, times
from ctc_kd.report.record import Score


def cost(*, parameters=1_000_000, megabytes=4.0, rtf=0.01, peak_mib=300.0, waited=0.0):
    one = Run(threads=1, model_rtf=rtf / 2, rtf=rtf, peak_mib=peak_mib, libraries_mib=250.0, waited=0.9)
    two = Run(threads=2, model_rtf=rtf / 4, rtf=0.75 * rtf, peak_mib=peak_mib + 10, libraries_mib=250.0, waited=waited)
    return Cost(parameters, megabytes, 24, 71.5, (one, two), "A processor", {"Python": "3.11.2"})


@pytest.fixture
def models(make_record):
    teacher = cost(parameters=2_000_000, megabytes=8.0, rtf=0.03, peak_mib=400.0)
    return {
        "Teacher": make_record("teacher", dev=14.0, test=12.0, cost=teacher),
        "Best student": make_record("all", None, 0.9, dev=18.0, test=13.5, cost=cost()),
        "Best < 1": make_record("symmetric", 2, 1.0, dev=20.0, test=11.2, cost=cost(rtf=0.04, peak_mib=500.0)),
    }


@pytest.fixture
def report(run_report, tmp_path):
    def make(models):
        write_json(str(tmp_path / "records"), {name: record.to_json() for name, record in models.items()})
        return run_report(CostReportJob(title="Students", records=tk.Path(str(tmp_path / "records"))))

    return make


def test_a_sentence_for_each_student(report, models):
    sentences = (
        "The best student (Plain KD at λ = 0.9) is 3.0 times as fast as its teacher on one thread, needs 75 % of its "
        "memory, libraries included, and makes 1.5 more errors in 100 words on test. The best < 1 (Symmetric selection "
        "with n = 2 at λ = 1.0) is 1.3 times as slow as its teacher on one thread, needs 125 % of its memory, "
        "libraries included, and makes 0.8 fewer errors in 100 words on test."
    )
    read = report(models)
    assert read("table.md").splitlines()[0] == sentences
    page = re.sub(r"\s", " ", read("index.html"))
    assert sentences.split(". The")[0] in page and "The best &lt; 1 (" in page


def test_all_figures_are_in_the_tables(report, models):
    text = report(models)("table.md")
    lines = [line for line in text.splitlines() if line.startswith(("**", "| Model", "| Teacher", "| Best s"))]
    assert lines == [
        "**Accuracy and size.**",
        "| Model | dev WER [%] | test WER [%] | M parameters | MB |",
        "| Teacher | 14.0 | 12.0 | 2.0 | 8.0 |",
        "| Best student | **18.0** | 13.5 | 1.0 | 4.0 |",
        "**Speed and memory on one thread.**",
        "| Model | RTF, acoustic model | RTF | memory [MiB] |",
        "| Teacher | 0.0150 | 0.0300 | 400.0 |",
        "| Best student | **0.00500** | **0.0100** | **300.0** |",
        "**Speed and memory on 2 threads.**",
        "| Model | RTF, acoustic model | RTF | memory [MiB] |",
        "| Teacher | 0.00750 | 0.0225 | 410.0 |",
        "| Best student | **0.00250** | **0.00750** | **310.0** |",
    ]


def test_the_picture_has_a_dot_for_each_model(report, models):
    page = report(models)("index.html")
    assert page.count("<circle") == 3
    for title in ("Teacher: 12.0 % WER, real-time factor 0.0300", "Best &lt; 1: 11.2 % WER, real-time factor 0.0400"):
        assert f"<title>{title}</title>" in page
    assert "WER on test [%]" in page


def test_results_are_the_records(report, models, tmp_path):
    read = report(models)
    assert json.loads(read("results.json")) == read_json(str(tmp_path / "records"))


def test_how_it_was_measured(report, models):
    text = report(models)("table.md")
    assert "24 recordings of 72 s together" in text and "with A processor, Python 3.11.2." in text
    assert "250 MiB for Teacher" in text and "Other programs" not in text
    models["Teacher"] = models["Teacher"].__class__.from_json(
        {**models["Teacher"].to_json(), "cost": {**models["Teacher"].to_json()["cost"], "runs": busy_runs()}}
    )
    assert "a process waited up to 20 % of its time for a core" in report(models)("table.md")


def busy_runs():
    return [vars(run) for run in cost(waited=0.2).runs]


def test_models_that_were_not_scored_on_test(report, models, make_record):
    models["Best student"] = make_record("all", None, 0.9, dev=18.0, test=None, cost=cost())
    read = report(models)
    assert "makes 4.0 more errors in 100 words on dev." in read("table.md") and "WER on dev [%]" in read("index.html")


def test_students_alone(report, models):
    del models["Teacher"]
    read = report(models)
    assert "teacher" not in read("table.md") and read("index.html").count("<circle") == 2


@pytest.mark.parametrize(
    ("ratio", "text"), [(2.04, "2.0 times as fast"), (0.5, "2.0 times as slow"), (0.99, "as fast"), (1.02, "as fast")]
)
def test_ratios_in_words(ratio, text):
    assert times(ratio, "fast", "slow") == text


def test_equal_error_rates_in_words():
    scores = [Score(wer, 1, 1, 1, words=100, utterances=9, unit="characters") for wer in (10.0, 10.04)]
    assert more(*scores) == "makes as many errors in 100 characters"
