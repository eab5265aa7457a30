"""Whether rows of one corpus differ by more than chance on test."""

from __future__ import annotations

from collections.abc import Sequence

from sisyphus import tk

from ctc_kd.experiments.corpora import Corpus
from ctc_kd.scoring.bootstrap import SignificanceJob


def tested(
    corpus: Corpus,
    hypotheses: dict[str, Sequence[tk.Path]],
    *,
    against: dict[str, Sequence[str]],
    contrasts: dict[str, dict[str, float]] | None = None,
) -> tk.Path:
    """``SignificanceJob.out_significance`` of test, whose parameters these are.

    :param hypotheses: row -> words of test by each seed
    """
    job = SignificanceJob(
        references=corpus.transcripts[corpus.test],
        cuts=corpus.cuts[corpus.test],
        hypotheses=hypotheses,
        against=against,
        inventory=corpus.inventory,
        unit=corpus.unit,
        contrasts=contrasts,
    )
    return job.out_significance
