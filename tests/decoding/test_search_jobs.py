import json
from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.scoring.score import ScoreJob


@pytest.mark.parametrize("num_classes", [79, 80])
def test_tuned_scales_reach_the_search(run_jobs, tiny, tmp_path, num_classes):
    task = tiny.write(tmp_path, num_classes=num_classes)
    transcripts = tk.Path(str(tmp_path / "transcripts.txt"))
    tune = TuneScalesJob(
        **task, transcripts=transcripts, lm_scales=[0.0, 1.0], prior_scales=[0.0, 0.3], search=SearchConfig()
    )
    search = SearchJob(
        **task, lm_scale=tune.out_lm_scale, prior_scale=tune.out_prior_scale, search=SearchConfig(beam_size=64)
    )
    score = ScoreJob(hypotheses=search.out_hypotheses, references=transcripts)
    run_jobs(score.out_wer)

    grid = json.loads(Path(tune.out_grid.get_path()).read_text())
    assert [(entry["lm_scale"], entry["prior_scale"]) for entry in grid] == [
        (0.0, 0.0),
        (0.0, 0.3),
        (1.0, 0.0),
        (1.0, 0.3),
    ]
    assert (tune.out_lm_scale.get(), tune.out_prior_scale.get()) == (1.0, 0.3)
    assert list(read_transcripts(search.out_hypotheses.get_path())) == list(tiny.references)
    assert score.out_wer.get() == 0.0
    assert search.out_rtf.get() > 0
