import math

import kenlm
import pytest
from sisyphus import tk

from ctc_kd.lm.statistics import LmStatisticsJob, statistics

ARPA = """\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-2.0\t<unk>
-99\t<s>\t-0.25
-0.5\t</s>
-0.75\tA\t-0.5
-1.0\tB\t-0.125

\\2-grams:
-0.25\t<s> A
-0.5\tA </s>

\\end\\
"""


@pytest.fixture
def lm(tmp_path):
    (tmp_path / "lm.arpa").write_text(ARPA)
    return str(tmp_path / "lm.arpa")


def test_known_words_and_sentence_ends_count(lm):
    perplexity, oov_rate = statistics(kenlm.Model(lm), ["A", "A B"])
    # <s> A, A </s>; <s> A, back off to B, back off to </s>
    log10_sum = -0.25 - 0.5 - 0.25 - (0.5 + 1.0) - (0.125 + 0.5)
    assert math.isclose(perplexity, 10 ** (-log10_sum / 5), rel_tol=1e-6)
    assert oov_rate == 0.0


def test_unknown_words_are_left_out(lm):
    perplexity, oov_rate = statistics(kenlm.Model(lm), ["A X B", ""])
    # <s> A; X is left out; B and </s> without a known history; back off to </s> after <s>
    log10_sum = -0.25 - 1.0 - (0.125 + 0.5) - (0.25 + 0.5)
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
