"""The records of one corpus as a grid, with the choices of dev, the significance of test, and the paper's numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ctc_kd.methods import WEIGHTS
from ctc_kd.report.grid.cell import Cell, Mean, best_on_dev, fullest
from ctc_kd.report.grid.significance import Significance
from ctc_kd.report.record import Record


@dataclass(frozen=True)
class PaperScore:
    """The paper's WER [%] of one row, with the hyper-parameter it chose."""

    dev: float
    test: float
    parameter: float | None


class Results:
    """All rows of one corpus; the grid may have holes.

    ``records``: see :func:`ctc_kd.report.grid.cell.fullest`. ``cells``: one for all records that differ only in
    their seed. ``unit``: what errors are counted in. ``rate``: what their rate is called.

    :param records: one for each method, hyper-parameter, distillation scale and seed, or two as ``fullest`` allows
    :param reference: ``ctc_kd.experiments.published.published_reference`` of the same corpus, or of another one whose
        numbers are shown for orientation
    :param significance: ``SignificanceJob.out_significance`` of the test set
    """

    def __init__(self, records: Sequence[Record], reference: dict | None = None, significance: dict | None = None):
        if not records:
            raise ValueError("a report needs at least one record")
        first = records[0]
        self.corpus, self.unit, self.rate = first.corpus, first.dev.unit, first.dev.rate
        for record in records:
            if record.corpus != self.corpus:
                raise ValueError(f"row {record.row} is of corpus {record.corpus}, but the report is of {self.corpus}")
            if record.dev.unit != self.unit:
                raise ValueError(
                    f"row {record.row} has a {record.dev.rate}, but row {first.row} a {self.rate}: score all rows of a "
                    "report in one unit"
                )
        self.records = fullest(records)
        groups: dict[tuple, list[Record]] = {}
        for record in self.records:
            groups.setdefault((record.method, record.parameter, record.weight), []).append(record)
        self.cells = [Cell.of(group) for group in groups.values()]
        self.reference = reference
        self.significance = significance and Significance(significance, self._chosen())

    def _chosen(self) -> list[Cell]:
        """For each method and distillation scale the cell that dev chose."""
        return [self.best(*group) for group in dict.fromkeys((cell.method, cell.weight) for cell in self.cells)]

    @property
    def weights(self) -> list[float]:
        """Distillation scales in ascending order: the paper's and any other that was trained."""
        return sorted({*WEIGHTS, *(cell.weight for cell in self.distilled)})

    def colour(self, weight: float) -> str:
        """Of a distillation scale: its class in style sheets."""
        return f"c{self.weights.index(weight) % 5}"

    @property
    def distilled(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.weight is not None]

    def best(self, method: str, weight: float | None) -> Cell | None:
        """The cell of the hyper-parameter with the lowest dev WER, the smaller one in a tie; test plays no part."""
        return best_on_dev([cell for cell in self.cells if (cell.method, cell.weight) == (method, weight)])

    def best_weight(self, method: str) -> Cell | None:
        """The cell of the distillation scale (and hyper-parameter) with the lowest dev WER."""
        return best_on_dev([cell for cell in self.distilled if cell.method == method])

    def paper(self, method: str, weight: float | None) -> PaperScore | None:
        for row in self.reference["rows"] if self.reference else []:
            if (row["method"], row["weight"]) == (method, weight):
                return PaperScore(row["dev"], row["test"], row["parameter"])
        return None

    @property
    def comparable(self) -> bool:
        """Whether the paper's numbers are of the same corpus, and of words."""
        return self.reference is not None and (self.reference["corpus"], "words") == (self.corpus, self.unit)

    def paper_points(self, weight: float) -> list[tuple[int, float]]:
        """The paper's points (n, dev WER) of Figure 1, if it is about the same corpus."""
        points = self.reference["figure1"] if self.comparable else []
        return [(point["n"], point["dev"]) for point in points if point["weight"] == weight]

    def paper_share(self, rule: str, parameter: float | None) -> float | None:
        """The paper's share of frames kept by a selection."""
        for entry in self.reference["coverage"] if self.reference else []:
            if (entry["rule"], entry["parameter"]) == (rule, parameter):
                return entry["share"]
        return None


def chance(score: Mean) -> float:
    """Roughly the smallest difference in WER [%] to ``score`` that is not chance.

    It is two-sided at 5 % for two independent test sets of that size with independent errors, so it is cautious for
    rows that are scored on the same utterances.
    """
    rate = min(score.wer / 100, 1)
    return 100 * 1.96 * math.sqrt(2 * rate * (1 - rate) / score.words)
