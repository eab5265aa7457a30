"""Whether rows of one corpus differ by more than chance on test."""

from __future__ import annotations

from collections.abc import Sequence

from sisyphus import tk

from ctc_kd.experiments.corpora import Corpus
from ctc_kd.scoring.bootstrap import SignificanceJob

MARGIN = 0.5
"""In points: rows that differ by less are as good as each other. At the demo's error rates of 14 % and more it is a
smaller share than what the paper's best row gains on plain KD on TED-LIUM, 0.3 of 6.6 and 0.4 of 6.7 %. It was stated
before any row had three seeds."""


def tested(
    corpus: Corpus,
    hypotheses: dict[str, Sequence[tk.Path]],
    *,
    against: dict[str, Sequence[str]],
    contrasts: dict[str, dict[str, float]] | None = None,
    margin: float | None = None,
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
        margin=margin,
        contrasts=contrasts,
    )
    return job.out_significance
