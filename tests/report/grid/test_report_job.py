"""Records and report from fake scores and trainings, through the jobs."""

import json
import os

import pytest

from ctc_kd.report.record import read_record


@pytest.fixture
def scored(tmp_path):
    """Files as the scoring, training and analysis jobs write them."""

    def write(name, data):
        path = tmp_path / name
        path.write_text(json.dumps(data))
        return str(path)

    counts = {"substitutions": 60, "deletions": 20, "insertions": 10, "hits": 920, "words": 1000, "utterances": 80}
    entry = {"learning_rate": 1e-3, "scores": {"train_loss_kd": 1.5, "dev_loss_kd": 1.2}, "seconds": 2.5}
    coverage = {
        "utterances": 3,
        "frames": 1000,
        "frame_shift_s": 0.04,
        "blank_share": 0.7,
        "mean_entropy": 0.4,
        "selections": [{"rule": "symmetric", "parameter": 2, "frames": 600, "share": 0.6}],
        "spikes": {
            "count": 200,
            "per_second": 5.0,
            "mean_length_frames": 1.5,
            "single_frame_share": 0.6,
            "mean_gap_frames": 3.0,
            "length_histogram": {"1": 120, "2": 60, "3": 20},
        },
    }
    return {
        "dev": write("dev.json", {"wer": 9.0, **counts}),
        "test": write("test.json", {"wer": 9.5, **counts}),
        "curves": write("curves.json", [{"epoch": epoch, **entry} for epoch in (1, 2, 3)]),
        "coverage": write("coverage.json", coverage),
        "oov": write("oov", 0.75),
    }


ROW = {
    "corpus": "demo",
    "preset": "consistent",
    "row": "sym-n2-l1.0",
    "method": "symmetric",
    "parameter": 2,
    "weight": 1.0,
    "temperature": 2.0,
    "normalisation": "selected_frames",
    "seed": 1,
    "uses_transcripts": False,
}


def record_job(scored, row, **arguments):
    from sisyphus import tk

    from ctc_kd.report.record import RecordJob

    scores = {name: tk.Path(scored[name]) for name in ("dev", "test")}
    return RecordJob(row=row, scores=scores, lm_scale=1.6, prior_scale=0.3, **arguments)


def test_record(scored, run_jobs):
    from sisyphus import tk

    job = record_job(scored, ROW, curves=tk.Path(scored["curves"]), job_ids={"teacher": "A.1"})
    run_jobs(job.out_record)
    record = read_record(job.out_record.get_path())
    assert (record.dev.wer, record.test.wer, record.dev.deletions, record.test.words) == (9.0, 9.5, 20, 1000)
    assert (record.epochs, record.training_seconds) == (3, 7.5)
    assert (record.lm_scale, record.prior_scale, record.job_ids) == (1.6, 0.3, {"teacher": "A.1"})
    assert record.row == "sym-n2-l1.0" and not record.uses_transcripts and record.published is None


def test_scales_are_read_when_the_job_runs(scored, run_jobs, tmp_path):
    from sisyphus import tk

    from ctc_kd.report.record import RecordJob

    (tmp_path / "scale").write_text("2.4")
    scores = {name: tk.Path(scored[name]) for name in ("dev", "test")}
    scale = tk.Variable(str(tmp_path / "scale"))
    job = RecordJob(row=ROW, scores=scores, lm_scale=scale, prior_scale=0.3)
    run_jobs(job.out_record)
    assert read_record(job.out_record.get_path()).lm_scale == 2.4


def test_record_names_the_jobs_that_made_its_inputs(scored):
    from ctc_kd.report.record import RecordJob

    first = record_job(scored, ROW)
    chained = RecordJob(row=ROW, scores={"dev": first.out_record}, lm_scale=1.6, prior_scale=0.3)
    assert chained.job_ids == {"score dev": first.job_id()}


def test_facts_may_be_known_only_when_the_job_runs(scored, run_jobs, tmp_path):
    from sisyphus import tk

    from ctc_kd.report.record import RecordJob

    (tmp_path / "n").write_text("3")
    row = {**ROW, "parameter": tk.Variable(str(tmp_path / "n"))}
    job = RecordJob(row=row, scores={"dev": tk.Path(scored["dev"])}, lm_scale=1.6, prior_scale=0.3)
    run_jobs(job.out_record)
    record = read_record(job.out_record.get_path())
    assert (record.parameter, record.test, record.dev.wer) == (3, None, 9.0)


def test_job_ids_stay(monkeypatch):
    from sisyphus import job, tk

    from ctc_kd.report.grid.job import ReportJob

    monkeypatch.setattr(job, "created_jobs", {})
    files = {name: f"{name}.json" for name in ("dev", "test")}
    record = record_job(files, ROW)
    report = ReportJob(
        title="A small report",
        records=[record.out_record],
        coverage=tk.Path("coverage.json"),
        curves={"sym-n2-l1.0": tk.Path("curves.json")},
        lm_statistics={"LM perplexity": 41.5},
        notes=["Made by a test."],
    )
    assert record.job_id() == "ctc_kd/report/record/RecordJob.Vw6IKDwsSPAO"
    assert report.job_id() == "ctc_kd/report/grid/job/ReportJob.g8ZjuKZT450i"


def test_report(scored, run_jobs, significance, tmp_path):
    from sisyphus import tk

    from ctc_kd.experiments.published import published_reference
    from ctc_kd.report.grid.job import ReportJob

    baseline = {"corpus": "demo", "preset": "consistent", "row": "ctc", "method": "baseline", "uses_transcripts": True}
    jobs = [record_job(scored, row) for row in (baseline, ROW)]
    (tmp_path / "counts.txt").write_text("The corpus has 3 talks.\n\nTwo speakers are known.\n")
    (tmp_path / "hours").write_text("'There are 2.5 hours.'")
    tested = significance({"baseline": 9.5, "symmetric-l1": 9.5}, [("symmetric-l1", "baseline", 1.0)])
    (tmp_path / "significance.json").write_text(json.dumps(tested))
    report = ReportJob(
        title="A small report",
        records=[job.out_record for job in jobs],
        coverage=tk.Path(scored["coverage"]),
        curves={"sym-n2-l1.0": tk.Path(scored["curves"])},
        lm_statistics={"LM perplexity": 41.5, "OOV rate [%]": tk.Variable(scored["oov"])},
        reference=published_reference("tedlium2"),
        notes=["Made by a test.", tk.Path(str(tmp_path / "counts.txt")), tk.Variable(str(tmp_path / "hours"))],
        significance=tk.Path(str(tmp_path / "significance.json")),
    )
    run_jobs(report.out_report)
    folder = report.out_report.get_path()
    assert sorted(os.listdir(folder)) == [
        "coverage.md",
        "figure1.png",
        "figure1.svg",
        "index.html",
        "records.jsonl",
        "significance.md",
        "table1.md",
        "table2.md",
    ]
    with open(os.path.join(folder, "records.jsonl")) as file:
        assert [json.loads(line)["row"] for line in file] == ["ctc", "sym-n2-l1.0"]
    with open(os.path.join(folder, "index.html")) as file:
        page = file.read()
    notes = ("Made by a test.", "The corpus has 3 talks.</p>", "Two speakers are known.", ">There are 2.5 hours.")
    assert all(
        text in page for text in ("A small report", "41.5", "0.75", "Symmetric selection with n\u00a0=\u00a02", *notes)
    )
