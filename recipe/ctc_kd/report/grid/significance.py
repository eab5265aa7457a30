"""Differences in test WER, and which of them are more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctc_kd.files import read_json
from ctc_kd.report import names
from ctc_kd.report.grid.cell import Cell
from ctc_kd.report.grid.comparisons import row_key

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """In WER points, negative if the row is better, over the speakers of test.

    :param low, high: the 95 % interval
    :param p: two-sided, of this comparison alone
    :param holm: p corrected for the number of comparisons
    """

    difference: float
    low: float
    high: float
    p: float
    holm: float

    @property
    def significant(self) -> bool:
        return self.holm < LEVEL

    @property
    def is_test(self) -> bool:
        """Rows with the same errors are none, see ``SignificanceJob``."""
        return any((self.difference, self.low, self.high))

    def texts(self) -> tuple[str, str, str, str]:
        """Difference, interval, p and corrected p: ``−2.13``, ``[−3.04, −1.21]``, ``0.002``, ``0.031``."""
        interval = f"[{names.points(self.low)}, {names.points(self.high)}]"
        return names.points(self.difference), interval, p_value(self.p), p_value(self.holm)


@dataclass(frozen=True)
class PairedDifference(Difference):
    """The same over seeds and speakers: both rows were trained with the same seeds.

    :param spread: sample standard deviation of the seeds' differences
    """

    spread: float

    def texts(self) -> tuple[str, str, str, str]:
        """The same with the spread: ``−2.13 ± 0.30``."""
        difference, *others = super().texts()
        return difference + names.spread(self.spread), *others


def p_value(p: float) -> str:
    """Three decimals."""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def read_significance(path: str) -> dict:
    """:raises ValueError: the file is of an earlier version, in which p was that of the bootstrap, and not corrected"""
    data = read_json(path)
    if "exact" not in data:
        raise ValueError(
            f"{path}: an earlier version of its job wrote this file, and its p is too small. Remove the job "
            f"(`sis remove {path}`) and run the config again: it takes seconds."
        )
    return data


class Significance:
    """The differences of the rows that dev chose.

    :param data: ``SignificanceJob.out_significance``
    :param chosen: the cells of the tables
    :raises ValueError: its WER of a row differs from the row's records, so both are not of the same hypotheses
    """

    def __init__(self, data: dict, chosen: Sequence[Cell]):
        self.samples, self.speakers, self.exact = data["samples"], data["speakers"], data["exact"]
        cells = {row_key(cell.method, cell.weight): cell for cell in chosen}
        for key, wer in data["wer"].items():
            found = cells[key].test if key in cells else None
            if found is None or abs(found.wer - wer) > 1e-6:
                raise ValueError(
                    f"row {key} has an error rate of {wer:.4f} % in the test of significance, "
                    f"but {f'{found.wer:.4f} %' if found else 'none'} in the records: both need the hypotheses of test "
                    "from the row that dev chose, with all its seeds"
                )
        self._differences, self._paired = {}, {}
        for entry in data["comparisons"]:
            rows, difference = (entry["row"], entry["against"]), entry["difference"]
            tested = (entry[name] for name in ("low", "high", "p", "holm"))
            self._differences[rows] = Difference(difference, *tested)
            if seeds := entry.get("seeds"):
                tested = (seeds[name] for name in ("low", "high", "p", "holm", "spread"))
                self._paired[rows] = PairedDifference(difference, *tested)

    @property
    def num_comparisons(self) -> int:
        return sum(found.is_test for found in self._differences.values())

    @property
    def num_paired(self) -> int:
        return sum(found.is_test for found in self._paired.values())

    def against(self, cell: Cell, method: str) -> Difference | None:
        """:param method: ``"baseline"``, or ``"all"`` for plain KD with the same distillation scale"""
        return self._differences.get(self._rows(cell, method))

    def paired(self, cell: Cell, method: str) -> PairedDifference | None:
        """The same if both rows have several seeds."""
        return self._paired.get(self._rows(cell, method))

    def decisive(self, cell: Cell, method: str) -> Difference | None:
        """Over seeds and speakers if there are several seeds, else over speakers."""
        return self.paired(cell, method) or self.against(cell, method)

    @staticmethod
    def _rows(cell: Cell, method: str) -> tuple[str, str]:
        other = row_key(method, None if method == "baseline" else cell.weight)
        return row_key(cell.method, cell.weight), other


def few_speakers(speakers: int, num_comparisons: int) -> str:
    """A sentence on what few speakers cannot show; the smallest p there is, is that of two ways to swap the rows."""
    text = f"With {speakers} speakers the intervals are too narrow"
    powerless = num_comparisons * 2 / 2**speakers >= LEVEL
    return f"{text}, and no difference can be significant." if powerless else f"{text}."


def too_few_speakers(found: Mapping[str, Any]) -> str:
    """That sentence, if intervals are over few speakers alone; else nothing.

    :param found: content of ``SignificanceJob.out_significance``
    """
    tested = found["comparisons"]
    if not found["exact"] or any("seeds" in one for one in tested):
        return ""
    differences = (Difference(*(one[name] for name in ("difference", "low", "high", "p", "holm"))) for one in tested)
    return few_speakers(found["speakers"], sum(one.is_test for one in differences))
