"""The choice of hyper-parameters on dev, and what it hands on to the search of test."""

import json

import pytest
from sisyphus import tk

from ctc_kd.report.grid.choice import AddTestScoreJob, ChooseOnDevJob, ChooseTestedJob, best_parameter
from ctc_kd.report.record import read_record


@pytest.fixture
def candidate(make_record, tmp_path):
    """``candidate(n, dev, seed)``: the files of one row; its posteriors and prior say which row they belong to."""

    def make(n, dev, seed=42, lm_scale=1.8):
        record = make_record("symmetric", n, 0.9, dev=dev, test=None, seed=seed, lm_scale=lm_scale)
        files = {}
        for kind, text in (("record", json.dumps(record.to_json())), ("posteriors", f"{n} {seed}"), ("prior", f"{n}")):
            path = tmp_path / f"{kind}.{n}.{seed}"
            path.write_text(text)
            files[kind] = tk.Path(str(path))
        return files

    return make


def test_the_row_with_the_lowest_dev_wer_is_handed_on(candidate, run_here):
    candidates = [candidate(1, 17.0), candidate(2, 16.0, lm_scale=2.2), candidate(3, 18.0)]
    job = run_here(ChooseOnDevJob(candidates=candidates, seed=42))
    assert read_record(job.out_record.get_path()).parameter == 2
    assert job.out_lm_scale.get() == 2.2
    with open(job.out_posteriors.get_path()) as posteriors, open(job.out_prior.get_path()) as prior:
        assert (posteriors.read(), prior.read()) == ("2 42", "2")
    job.run()  # again, as after a kill


def test_seeds_choose_together(candidate, run_here):
    """n = 1 has the best single row, n = 2 the better mean."""
    candidates = [candidate(1, 15.0, 1), candidate(1, 19.0, 2), candidate(2, 16.0, 1), candidate(2, 16.5, 2)]
    for seed in (1, 2):
        record = read_record(run_here(ChooseOnDevJob(candidates=candidates, seed=seed)).out_record.get_path())
        assert (record.parameter, record.seed) == (2, seed)


def test_what_the_best_row_finds_on_test_is_handed_on(candidate, run_here):
    rows = [candidate(n, dev, seed) for n, dev in ((1, 17.0), (2, 16.0)) for seed in (42, 43)]
    candidates = [{"record": row["record"], "hypotheses": row["posteriors"]} for row in rows]
    job = run_here(ChooseTestedJob(candidates=candidates, seed=43))
    assert read_record(job.out_record.get_path()).parameter == 2
    with open(job.out_hypotheses.get_path()) as hypotheses:
        assert hypotheses.read() == "2 43"


def test_in_a_tie_the_smaller_parameter(make_record):
    records = [make_record("symmetric", n, 0.9, dev=16.0, test=None) for n in (3, 1, 2)]
    assert best_parameter(records) == 1


def test_different_seeds_are_refused(make_record):
    records = [make_record("symmetric", n, 0.9, dev=16.0, test=None, seed=n) for n in (1, 2)]
    with pytest.raises(ValueError, match="seeds"):
        best_parameter(records)


def test_the_test_score_is_added(make_record, tmp_path, run_here):
    from ctc_kd.scoring.score import ScoreJob

    record = make_record("symmetric", 2, 0.9, dev=16.0, test=None)
    (tmp_path / "record.json").write_text(json.dumps(record.to_json()))
    for name, words in (("hypotheses", "A B"), ("references", "A C")):
        (tmp_path / name).write_text(f"utterance {words}\n")
    score = run_here(
        ScoreJob(hypotheses=tk.Path(str(tmp_path / "hypotheses")), references=tk.Path(str(tmp_path / "references")))
    )
    job = run_here(AddTestScoreJob(record=tk.Path(str(tmp_path / "record.json")), counts=score.out_counts))
    result = read_record(job.out_record.get_path())
    assert (result.dev, result.test.wer, result.test.words) == (record.dev, 50.0, 2)
    assert result.job_ids["score test"] == score.job_id()
