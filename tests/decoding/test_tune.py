import json
from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.decoding import tune
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.decoding.tune import TuneScalesJob


@pytest.fixture
def make_job(tiny, tmp_path):
    """``make_job(...)``: the job on the tiny task, run in this process below the directory of the test."""
    task = tiny.write(tmp_path)

    def make(**changes):
        arguments = {
            **task,
            "transcripts": tk.Path(str(tmp_path / "transcripts.txt")),
            "lm_scales": [0.0, 1.0],
            "prior_scales": [0.0, 0.3],
            "search": SearchConfig(),
        }
        return TuneScalesJob(**{**arguments, **changes})

    return make


def results(job):
    return job.out_lm_scale.get(), job.out_prior_scale.get(), json.loads(Path(job.out_grid.get_path()).read_text())


def test_best_pair_and_whole_grid(run_jobs, make_job):
    job = make_job(lm_scales=[1.0, 0.0], prior_scales=(0.3, 0.0))
    run_jobs(job.out_grid)
    lm_scale, prior_scale, grid = results(job)
    assert (lm_scale, prior_scale) == (1.0, 0.3)
    errors = [(entry["lm_scale"], entry["prior_scale"], round(entry["wer"] * 12 / 100)) for entry in grid]
    assert errors == [(0.0, 0.0, 3), (0.0, 0.3, 1), (1.0, 0.0, 2), (1.0, 0.3, 0)]


def test_ties_go_to_the_smaller_scales(run_jobs, make_job):
    job = make_job(lm_scales=[1.1, 1.0], prior_scales=[0.32, 0.3])
    run_jobs(job.out_grid)
    lm_scale, prior_scale, grid = results(job)
    assert {entry["wer"] for entry in grid} == {0.0}
    assert (lm_scale, prior_scale) == (1.0, 0.3)


def test_interrupted_job_goes_on_where_it_was(run_jobs, make_job, monkeypatch, tmp_path):
    undisturbed = make_job()
    run_jobs(undisturbed.out_grid)

    job = make_job(search=SearchConfig(beam_size=1000))
    Path(job.out_grid.get_path()).parent.mkdir(parents=True)
    Path(job.work_path()).mkdir()
    monkeypatch.chdir(job.work_path())
    assert job.completed_fraction() == 0.0
    write_finished = tune.write_finished

    def write_and_fail(path, wers):
        write_finished(path, wers)
        if len(wers) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tune, "write_finished", write_and_fail)
        with pytest.raises(KeyboardInterrupt):
            job.run()
    monkeypatch.chdir(tmp_path)
    assert job.completed_fraction() == 0.75
    monkeypatch.chdir(job.work_path())

    searched = []
    search = job._search
    monkeypatch.setattr(job, "_search", lambda pairs: searched.extend(pairs) or search(pairs))
    job.run()
    assert len(searched) == 1
    assert results(job) == results(undisturbed)


def test_utterances_must_match(make_job, tmp_path):
    (tmp_path / "transcripts.txt").write_text("1-1-0000 THE CAT\n")
    with pytest.raises(ValueError, match="1-1-0001 is unexpected"):
        list(make_job()._search([(1.0, 0.0)]))


def test_dev_without_words_is_refused_before_the_search(make_job, tmp_path):
    (tmp_path / "transcripts.txt").write_text("1-1-0000 \n")
    with pytest.raises(ValueError, match="transcripts.txt: no words to compare with"):
        list(make_job()._search([(1.0, 0.0)]))
