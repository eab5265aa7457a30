"""Blank selection in CTC distillation (arXiv 2506.01503): Tables 1 and 2 and Figure 1 of one corpus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.analysis.coverage import CoverageJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation, TrainedRow
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.published import published_reference
from ctc_kd.experiments.recognition import score
from ctc_kd.experiments.rows import COVERAGE, Row
from ctc_kd.report.choice import AddTestScoreJob, ChooseOnDevJob
from ctc_kd.report.job import ReportJob
from ctc_kd.report.significance import comparisons, row_key
from ctc_kd.scoring.bootstrap import SignificanceJob


class Scored(NamedTuple):
    """Rows of one method and distillation scale.

    :param records: by name of the row
    :param hypotheses: of test, one for each seed, of the hyper-parameter that dev chose
    """

    records: dict[str, tk.Path]
    hypotheses: list[tk.Path]


def blank_kd(corpus: Corpus, preset: Preset, rows: Sequence[Row], *, name: str, reference: str | None = None):
    """Register the report of ``rows``, and each row's record, below ``output/<name>/<corpus>/``.

    Where rows differ in their hyper-parameter only, all are scored on dev, and the best one of them on test.

    :param reference: corpus of the paper whose numbers stand beside ours
    """
    grid = Distillation(corpus, preset)
    trained = [grid.trained(row) for row in rows]
    groups: dict[tuple[str, float | None], list[TrainedRow]] = {}
    for one in trained:
        groups.setdefault((one.row.method, one.row.weight), []).append(one)
    scored = {group: scored_on_test(grid, members) for group, members in groups.items()}
    records = {row: record for group in scored.values() for row, record in group.records.items()}
    for row, record in records.items():
        tk.register_output(f"{name}/{corpus.name}/records/{row}.json", record)
    coverage = CoverageJob(logits=grid.teacher_logits, selections=COVERAGE)
    significance = SignificanceJob(
        references=corpus.transcripts[corpus.test],
        cuts=corpus.cuts[corpus.test],
        hypotheses={row_key(*group): found.hypotheses for group, found in scored.items()},
        against=comparisons(scored),
    )
    report = ReportJob(
        title=f"CTC distillation and blank: {corpus.name}",
        records=list(records.values()),
        coverage=preset.place(coverage).out_coverage,
        curves={one.row.name: one.training.out_curves for one in trained},
        lm_statistics=corpus.lm_statistics,
        reference=published_reference(reference) if reference else None,
        notes=list(corpus.checks),
        significance=preset.place(significance).out_significance,
    )
    tk.register_output(f"{name}/{corpus.name}/report", preset.place(report).out_report)


def scored_on_test(grid: Distillation, group: list[TrainedRow]) -> Scored:
    """Search test with all rows, or with those of the hyper-parameter that is best on dev."""
    if len({one.row.parameter for one in group}) == 1:
        jobs = {one.row.name: grid.record(one) for one in group}
        hypotheses = [job.scores["test"].creator.hypotheses for job in jobs.values()]
        return Scored({row: job.out_record for row, job in jobs.items()}, hypotheses)
    corpus, preset = grid.corpus, grid.preset
    records = {one.row.name: grid.record(one, sets=["dev"]).out_record for one in group}
    candidates = [
        {"record": record, "posteriors": one.posteriors.of[corpus.test], "prior": one.posteriors.prior}
        for record, one in zip(records.values(), group, strict=True)
    ]
    hypotheses = []
    for seed in sorted({one.training.training.seed for one in group}):
        chosen = preset.place(ChooseOnDevJob(candidates=candidates, seed=seed))
        test = score(
            corpus,
            preset,
            corpus.test,
            posteriors=chosen.out_posteriors,
            prior=chosen.out_prior,
            lm_scale=chosen.out_lm_scale,
            prior_scale=chosen.out_prior_scale,
        )
        tested = preset.place(AddTestScoreJob(record=chosen.out_record, counts=test.out_counts))
        hypotheses.append(test.hypotheses)
        records[f"{row_key(group[0].row.method, group[0].row.weight)}-chosen-s{seed}"] = tested.out_record
    return Scored(records, hypotheses)
