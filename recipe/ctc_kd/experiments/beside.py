"""How far rows are from the one that stands for the best choice, in several settings."""

from __future__ import annotations

from collections.abc import Mapping

from sisyphus import tk

from ctc_kd.experiments.blank_kd import Grid
from ctc_kd.experiments.distillation import TrainedRow
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import BASELINE, TEACHER
from ctc_kd.experiments.significance import MARGIN, tested
from ctc_kd.report.differences import DifferencesReportJob
from ctc_kd.report.grid.comparisons import row_key
from ctc_kd.report.names import short_name

BEST = "best n"

NOTES = [
    "The n of the first line is that with the lowest error rate on dev. All other rows have the same hyper-parameter "
    "everywhere, or none.",
]


def regret(grids: Mapping[str, Grid], *, weight: float, name: str) -> tk.Path:
    """Registers the report on what it costs not to choose n on dev, as ``output/<name>/regret``, and returns it.

    :param grids: setting -> rows that include symmetric selection with several n
    :param weight: lambda of the rows
    """
    settings, chosen = {}, {}
    for setting, grid in grids.items():
        key = row_key("symmetric", weight)
        rows = hypotheses_of(grid)
        best = {BEST: grid.hypotheses[key]}
        against = {row: [BEST] for row in rows}
        settings[setting] = tested(grid.chain.corpus, {**rows, **best}, against=against, margin=MARGIN)
        chosen[setting] = next(record for row, record in grid.records.items() if row.startswith(f"{key}-chosen-"))
    report = DifferencesReportJob(
        title="What it costs not to choose n on dev", settings=settings, chosen=chosen, kicker="Regret", notes=NOTES
    )
    requests = next(iter(grids.values())).chain.preset.requests
    register_outputs({f"{name}/regret": report.out_report}, requests=requests)
    return report.out_report


def hypotheses_of(grid: Grid) -> dict[str, list[tk.Path]]:
    """Name of a row in tables -> what its students find on test, in the order of seeds."""
    found: dict[str, list[TrainedRow]] = {}
    for one in grid.trained.values():
        if one.row.method not in (TEACHER.method, BASELINE.method):
            found.setdefault(short_name(one.row), []).append(one)
    return {
        label: [
            grid.chain.recorded(one).sets["test"].search.out_hypotheses
            for one in sorted(members, key=lambda one: one.training.training.seed)
        ]
        for label, members in found.items()
    }
