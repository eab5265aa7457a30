"""The records of one corpus as a grid, with the rule that picks hyper-parameters on dev, and the paper's numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ctc_kd.report.record import Record

PAPER_WEIGHTS = (0.25, 0.9, 1.0)


@dataclass(frozen=True)
class PaperScore:
    """The paper's WER [%] of one row, with the hyper-parameter it chose."""

    dev: float
    test: float
    parameter: float | None


class Results:
    """All rows of one corpus; the grid may have holes.

    :param records: at most one for each method, hyper-parameter and distillation scale
    :param reference: ``ctc_kd.experiments.published.published_reference`` of the same corpus, or of another one whose
        numbers are shown for orientation
    """

    def __init__(self, records: Sequence[Record], reference: dict | None = None):
        if not records:
            raise ValueError("a report needs at least one record")
        self.records = list(records)
        self.corpus = self.records[0].corpus
        self.reference = reference
        cells = {}
        for record in self.records:
            cell = (record.method, record.parameter, record.weight)
            if cell in cells:
                raise ValueError(
                    f"rows {cells[cell]} and {record.row} are the same cell {cell}: report them separately"
                )
            if record.corpus != self.corpus:
                raise ValueError(f"row {record.row} is of corpus {record.corpus}, the report of {self.corpus}")
            cells[cell] = record.row

    @property
    def weights(self) -> list[float]:
        """Distillation scales in ascending order: the paper's and any other that was trained."""
        return sorted({*PAPER_WEIGHTS, *(record.weight for record in self.distilled)})

    @property
    def distilled(self) -> list[Record]:
        return [record for record in self.records if record.weight is not None]

    def best(self, method: str, weight: float | None) -> Record | None:
        """The row of the hyper-parameter with the lowest dev WER, the smaller one in a tie; test plays no part."""
        return best_on_dev([r for r in self.records if (r.method, r.weight) == (method, weight)])

    def best_weight(self, method: str) -> Record | None:
        """The row of the distillation scale (and hyper-parameter) with the lowest dev WER."""
        return best_on_dev([r for r in self.distilled if r.method == method])

    def paper(self, method: str, weight: float | None) -> PaperScore | None:
        for row in self.reference["rows"] if self.reference else []:
            if (row["method"], row["weight"]) == (method, weight):
                return PaperScore(row["dev"], row["test"], row["parameter"])
        return None

    @property
    def comparable(self) -> bool:
        """Whether the paper's numbers are of the same corpus."""
        return self.reference is not None and self.reference["corpus"] == self.corpus

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

    def chance(self, record: Record) -> float:
        """Roughly the smallest difference in test WER [%] to ``record`` that is not chance.

        Two-sided 5 % for two independent test sets of that size with independent errors: careful for rows that are
        scored on the same utterances.
        """
        rate = min(record.test.wer / 100, 1)
        return 100 * 1.96 * math.sqrt(2 * rate * (1 - rate) / record.test.words)


def best_on_dev(records: Sequence[Record]) -> Record | None:
    return min(records, key=lambda r: (r.dev.wer, r.weight or 0, r.parameter or 0), default=None)
