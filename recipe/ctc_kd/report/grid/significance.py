"""Differences in test WER, and which of them are more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctc_kd.report.grid.cell import Cell
from ctc_kd.report.grid.comparisons import row_key

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """In WER points, negative if the row is better; ``low, high``: the 95 % interval; ``p``: two-sided."""

    difference: float
    low: float
    high: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p < LEVEL

    def __str__(self) -> str:
        """E.g. ``−2.13 [−3.04, −1.21]``."""
        # + 0.0 turns minus zero into zero
        difference, low, high = (f"{round(v, 2) + 0.0:+.2f}" for v in (self.difference, self.low, self.high))
        return f"{difference} [{low}, {high}]".replace("-", "−")


class Significance:
    """The differences of the rows that dev chose.

    :param data: ``SignificanceJob.out_significance``
    :param chosen: the cells of the tables
    :raises ValueError: its WER of a row differs from the row's records, so both are not of the same hypotheses
    """

    def __init__(self, data: dict, chosen: Sequence[Cell]):
        self.samples, self.speakers, self.reliable = data["samples"], data["speakers"], data["reliable"]
        cells = {row_key(cell.method, cell.weight): cell for cell in chosen}
        for key, wer in data["wer"].items():
            found = cells[key].test if key in cells else None
            if found is None or abs(found.wer - wer) > 1e-6:
                raise ValueError(
                    f"row {key} has {wer:.4f} % WER in the test of significance, "
                    f"but {f'{found.wer:.4f} %' if found else 'none'} in the records: both need the hypotheses of test "
                    "from the row that dev chose, with all its seeds"
                )
        self._differences = {
            (entry["row"], entry["against"]): Difference(*(entry[name] for name in ("difference", "low", "high", "p")))
            for entry in data["comparisons"]
        }

    def against(self, cell: Cell, method: str) -> Difference | None:
        """:param method: ``"baseline"``, or ``"all"`` for plain KD with the same distillation scale"""
        other = row_key(method, None if method == "baseline" else cell.weight)
        return self._differences.get((row_key(cell.method, cell.weight), other))


def few_speakers(found: Significance) -> str:
    return f"With {found.speakers} speakers the intervals are not reliable."
