import math

import kenlm
import pytest
from sisyphus import tk

from ctc_kd.lm.statistics import LmStatisticsJob, statistics


@pytest.fixture
def lm(tmp_path, arpa_text):
    (tmp_path / "lm.arpa").write_text(arpa_text)
    return str(tmp_path / "lm.arpa")


def test_known_words_and_sentence_ends_count(lm):
    perplexity, oov_rate = statistics(kenlm.Model(lm), ["B", "B A"])
    # <s> B, back off twice to </s>; <s> B, <s> B A, A </s>
    log10_sum = -0.25 - (0.5 + 0.125 + 0.5) - 0.25 - 0.125 - 0.5
    assert math.isclose(perplexity, 10 ** (-log10_sum / 5), rel_tol=1e-6)
    assert oov_rate == 0.0


def test_unknown_words_are_left_out(lm):
    perplexity, oov_rate = statistics(kenlm.Model(lm), ["A X B", ""])
    # back off to A after <s>; X is left out; B and </s> without a known history; back off to </s> after <s>
    log10_sum = -(0.25 + 0.75) - 1.0 - (0.125 + 0.5) - (0.25 + 0.5)
    assert math.isclose(perplexity, 10 ** (-log10_sum / 4), rel_tol=1e-6)
    assert math.isclose(oov_rate, 100 / 3)


def test_no_words_is_an_error(lm):
    with pytest.raises(ValueError, match="no words"):
        statistics(kenlm.Model(lm), [""])


def test_job(run_jobs, lm, tmp_path):
    (tmp_path / "transcripts.txt").write_text("1-1-0000 A B\n1-1-0001 X B\n")
    job = LmStatisticsJob(lm=tk.Path(lm), transcripts=tk.Path(str(tmp_path / "transcripts.txt")))
    run_jobs(job.out_perplexity, job.out_oov_rate)
    assert job.out_oov_rate.get() == 25.0
    assert job.out_perplexity.get() > 1


def test_a_model_that_knows_no_word_is_named(run_here, lm, tmp_path):
    (tmp_path / "transcripts.txt").write_text("1-1-0000 X Y\n1-1-0001 Z\n")
    job = LmStatisticsJob(lm=tk.Path(lm), transcripts=tk.Path(str(tmp_path / "transcripts.txt")))
    with pytest.raises(ValueError, match="lm.arpa: knows none of the words"):
        run_here(job)
