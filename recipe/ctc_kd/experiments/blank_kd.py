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
from ctc_kd.experiments.recognition import recognised
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import COVERAGE, Row
from ctc_kd.experiments.significance import tested
from ctc_kd.report.grid.choice import AddTestScoreJob, ChooseOnDevJob
from ctc_kd.report.grid.comparisons import comparisons, row_key
from ctc_kd.report.grid.job import ReportJob


class Scored(NamedTuple):
    """The results of the rows with one method and distillation scale.

    :param records: name of the row -> record
    :param hypotheses: hypotheses of test in the order of seeds, with the hyper-parameter chosen on dev
    """

    records: dict[str, tk.Path]
    hypotheses: list[tk.Path]


class Grid(NamedTuple):
    """What became of the rows of one corpus.

    :param trained: name of the row -> its jobs
    :param records: name of the row -> record; of the hyper-parameters that dev chose there are two
    :param significance: of test
    :param folder: of the outputs below ``output/``
    """

    chain: Distillation
    trained: dict[str, TrainedRow]
    records: dict[str, tk.Path]
    significance: tk.Path
    folder: str


def blank_kd(corpus: Corpus, preset: Preset, rows: Sequence[Row], *, name: str, reference: str | None = None) -> Grid:
    """Registers the report of ``rows`` and the record of each row under ``output/<name>/<corpus>/``.

    Rows that differ only in their hyper-parameter are all scored on dev, and the best of them on test.

    :param reference: corpus of the paper whose numbers the report shows beside ours
    """
    grid = Distillation(corpus, preset)
    trained = [grid.trained(row) for row in rows]
    groups: dict[tuple[str, float | None], list[TrainedRow]] = {}
    for one in trained:
        groups.setdefault((one.row.method, one.row.weight), []).append(one)
    scored = {group: scored_on_test(grid, members) for group, members in groups.items()}
    records = {row: record for group in scored.values() for row, record in group.records.items()}
    hypotheses = {row_key(*group): found.hypotheses for group, found in scored.items()}
    significance = tested(corpus, hypotheses, against=comparisons(scored))
    report = ReportJob(
        title=f"CTC distillation and blank: {corpus.name}",
        records=list(records.values()),
        coverage=CoverageJob(logits=grid.teacher_dump.out_logits, selections=COVERAGE).out_coverage,
        curves={one.row.name: one.training.out_curves for one in trained},
        lm_statistics=corpus.lm_statistics,
        reference=published_reference(reference) if reference else None,
        notes=[*preset.notes, *corpus.checks],
        significance=significance,
    )
    outputs = {f"records/{row}.json": record for row, record in records.items()}
    outputs["report"] = report.out_report
    folder = f"{name}/{corpus.name}"
    register_outputs({f"{folder}/{path}": output for path, output in outputs.items()}, requests=preset.requests)
    trained_rows = {one.row.name: one for one in trained}
    return Grid(grid, trained_rows, records, significance, folder)


def scored_on_test(grid: Distillation, group: list[TrainedRow]) -> Scored:
    """Searches test with all rows, or, if the hyper-parameter varies, with its best value on dev."""
    if len({one.row.parameter for one in group}) == 1:
        rows = {one.row.name: grid.recorded(one) for one in group}
        by_seed = sorted(group, key=lambda one: one.training.training.seed)  # rows are compared seed by seed
        hypotheses = [rows[one.row.name].found_on_test for one in by_seed]
        return Scored({row: found.record.out_record for row, found in rows.items()}, hypotheses)
    corpus = grid.corpus
    records = {one.row.name: grid.recorded(one, sets=["dev"]).record.out_record for one in group}
    candidates = [
        {
            "record": record,
            "posteriors": one.posteriors.out_posteriors[corpus.test],
            "prior": one.posteriors.out_prior,
        }
        for record, one in zip(records.values(), group, strict=True)
    ]
    hypotheses = []
    for seed in sorted({one.training.training.seed for one in group}):
        chosen = ChooseOnDevJob(candidates=candidates, seed=seed)
        found = recognised(
            corpus,
            grid.preset,
            corpus.test,
            posteriors=chosen.out_posteriors,
            prior=chosen.out_prior,
            lm_scale=chosen.out_lm_scale,
            prior_scale=chosen.out_prior_scale,
        )
        hypotheses.append(found.search.out_hypotheses)
        tested = AddTestScoreJob(record=chosen.out_record, counts=found.score.out_counts)
        records[f"{row_key(group[0].row.method, group[0].row.weight)}-chosen-s{seed}"] = tested.out_record
    return Scored(records, hypotheses)
