import json
import math
from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.decoding import tune
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.decoding.tune import TuneScalesJob, next_of_climb


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
    search = job.searcher()
    monkeypatch.setattr(job, "searcher", lambda: lambda pairs: searched.extend(pairs) or search(pairs))
    job.run()
    assert len(searched) == 1
    assert results(job) == results(undisturbed)


def test_utterances_must_match(make_job, tmp_path):
    (tmp_path / "transcripts.txt").write_text("1-1-0000 THE CAT\n")
    with pytest.raises(ValueError, match="1-1-0001 is unexpected"):
        make_job().searcher()


def test_phonemes_are_no_words(make_job):
    with pytest.raises(ValueError, match="phonemes spell no words to compare with .*: give a lexicon and a text"):
        make_job(lexicon=None, lm=None).searcher()


def test_dev_without_words_is_refused_before_the_search(make_job, tmp_path):
    (tmp_path / "transcripts.txt").write_text("1-1-0000 \n")
    with pytest.raises(ValueError, match="transcripts.txt: no words to compare with"):
        make_job().searcher()


def climbed(lm_scales, prior_scales, wer, *, at_once=None):
    """All pairs that a climb searches, in the order of its steps.

    :param at_once: how many pairs of a step are searched before it is killed
    """
    wers, steps = {}, []
    while new := [pair for pair in next_of_climb(lm_scales, prior_scales, wers) if pair not in wers][:at_once]:
        steps.append(new)
        wers |= {pair: wer(*pair) for pair in new}
    return wers, steps


def test_a_climb_ends_where_no_neighbour_is_better():
    lm_scales, prior_scales = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2], [0.0, 0.1, 0.2, 0.3, 0.4]
    wers, steps = climbed(
        lm_scales, prior_scales, lambda lm, prior: abs(round(10 * lm) - 20) + abs(round(10 * prior) - 1)
    )
    assert min(wers, key=wers.get) == (2.0, 0.1)
    assert steps[0] == [(lm, prior) for lm in (1.4, 1.6, 1.8) for prior in (0.1, 0.2, 0.3)]
    # The best ones are (1.8, 0.1), (1.8, 0.2) and (1.6, 0.1), then (2.0, 0.1), (2.0, 0.0) and (2.0, 0.2).
    assert steps[1] == [(1.4, 0.0), (1.6, 0.0), (1.8, 0.0), *((2.0, prior) for prior in (0.0, 0.1, 0.2, 0.3))]
    assert steps[2:] == [[(2.2, prior) for prior in (0.0, 0.1, 0.2, 0.3)]]


def test_a_climb_passes_a_hill():
    wers, _ = climbed(
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0], lambda lm, prior: {3.0: 6, 4.0: 5, 5.0: 7, 6.0: 1}.get(lm, 9)
    )
    assert min(wers, key=wers.get) == (6.0, 0.0)


def test_a_killed_climb_goes_the_same_way():
    lm_scales, prior_scales = [float(number) for number in range(9)], [0.0, 0.1, 0.2, 0.3, 0.4]
    wer = lambda lm, prior: math.sin(3 * lm) + math.cos(17 * prior) + abs(lm - 7)
    undisturbed, _ = climbed(lm_scales, prior_scales, wer)
    assert len(undisturbed) < 45
    for at_once in (1, 2, 5):
        assert climbed(lm_scales, prior_scales, wer, at_once=at_once)[0] == undisturbed


def test_a_climb_stays_in_the_grid_and_on_a_plateau():
    _, steps = climbed([0.5], [0.0, 0.3], lambda lm, prior: 1.0)
    assert steps == [[(0.5, 0.0), (0.5, 0.3)]]
    _, steps = climbed([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [0.0], lambda lm, prior: 7.0)
    assert steps == [[(4.0, 0.0), (5.0, 0.0), (6.0, 0.0)], [(3.0, 0.0), (7.0, 0.0)], [(2.0, 0.0)], [(1.0, 0.0)]]


def test_climb_as_a_job(run_jobs, make_job):
    scales = {"lm_scales": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2], "prior_scales": [0.0, 0.1, 0.2, 0.3]}
    all_pairs, climb = make_job(**scales), make_job(**scales, climb=True)
    run_jobs(all_pairs.out_grid, climb.out_grid)
    lm_scale, prior_scale, grid = results(climb)
    whole = {(entry["lm_scale"], entry["prior_scale"]): entry["wer"] for entry in results(all_pairs)[2]}
    found = {(entry["lm_scale"], entry["prior_scale"]): entry["wer"] for entry in grid}
    assert len(found) < len(whole) and found == {pair: whole[pair] for pair in found}
    assert found[lm_scale, prior_scale] == min(found.values()) == min(whole.values())
