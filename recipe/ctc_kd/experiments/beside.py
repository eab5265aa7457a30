"""How far rows are from the one that stands for the best choice, in several settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sisyphus import tk

from ctc_kd.experiments.distillation import Distillation, RecordedRow
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import TEACHER, Row
from ctc_kd.experiments.significance import MARGIN, tested
from ctc_kd.report.differences import DifferencesReportJob
from ctc_kd.report.grid.choice import ChooseTestedJob
from ctc_kd.report.names import short_name

BEST = "best n"

NOTES = [
    "The n of the first line is that with the lowest error rate on dev. All other rows have the same hyper-parameter "
    "everywhere, or none.",
]


def regret(chains: Mapping[str, Distillation], rows: Sequence[Row], *, seeds: Sequence[int], name: str) -> tk.Path:
    """Registers the report on what it costs not to choose n on dev, as ``output/<name>/regret``, and returns it.

    The records of all rows and of the teachers are beside it, under the names of the corpora. Every row is searched on
    test, so a report on more seeds asks nothing new of rows that have been measured.

    :param chains: setting -> what trains its students
    :param rows: without seeds; among them symmetric selection with several n
    """
    settings, chosen, outputs = {}, {}, {}
    for setting, chain in chains.items():
        found = {row: chain.recorded_seeds(row, seeds) for row in (TEACHER, *rows)}
        best = best_on_dev([found[row] for row in rows if row.method == "symmetric"], seeds)
        hypotheses = {short_name(row): [one.found_on_test for one in found[row]] for row in rows}
        against = {row: [BEST] for row in hypotheses}
        hypotheses[BEST] = [choice.out_hypotheses for choice in best]
        settings[setting] = tested(chain.corpus, hypotheses, against=against, margin=MARGIN)
        chosen[setting] = best[0].out_record
        for record in (one.record for members in found.values() for one in members):
            outputs[f"{name}/{chain.corpus.name}/records/{record.row['row']}.json"] = record.out_record
    report = DifferencesReportJob(
        title="What it costs not to choose n on dev", settings=settings, chosen=chosen, kicker="Regret", notes=NOTES
    )
    outputs[f"{name}/regret"] = report.out_report
    register_outputs(outputs, requests=next(iter(chains.values())).preset.requests)
    return report.out_report


def best_on_dev(rows: Sequence[Sequence[RecordedRow]], seeds: Sequence[int]) -> list[ChooseTestedJob]:
    """A choice for each seed, all of the same hyper-parameter.

    :param rows: for each hyper-parameter its seeds
    """
    members = [one for seeded in rows for one in seeded]
    candidates = [{"record": one.record.out_record, "hypotheses": one.found_on_test} for one in members]
    return [ChooseTestedJob(candidates=candidates, seed=seed) for seed in seeds]
