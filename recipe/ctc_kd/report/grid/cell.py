"""One cell of the grid: the rows that differ only in their seed, and their mean."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ctc_kd.report.record import Record, Score


@dataclass(frozen=True)
class Mean:
    """WER in percent, the mean over seeds.

    :param spread: sample standard deviation (divisor n - 1) over the seeds; None for one seed
    :param words: of the evaluation set
    """

    wer: float
    spread: float | None
    words: int

    @classmethod
    def of(cls, scores: Sequence[Score]) -> Mean:
        wers = [score.wer for score in scores]
        return cls(statistics.fmean(wers), statistics.stdev(wers) if len(wers) > 1 else None, scores[0].words)


@dataclass(frozen=True)
class Cell:
    """A method with its hyper-parameter and distillation scale, trained with one seed or several.

    :param test: None unless every seed has a test score
    :param num_parameters: size of the model, frozen parameters included
    """

    method: str
    parameter: float | None
    weight: float | None
    uses_transcripts: bool
    num_parameters: int | None
    seeds: tuple[int | None, ...]
    dev: Mean
    test: Mean | None

    @classmethod
    def of(cls, records: Sequence[Record]) -> Cell:
        """:raises ValueError: the rows differ in more than their seed"""
        first = records[0]
        for record in records[1:]:
            for name in ("preset", "temperature", "normalisation", "uses_transcripts"):
                values = getattr(first, name), getattr(record, name)
                if values[0] != values[1]:
                    raise ValueError(
                        f"rows {first.row} and {record.row} should differ only in their seeds, but {name} is "
                        f"{values[0]} and {values[1]}: report them separately"
                    )
        tested = [record.test for record in records if record.test]
        return cls(
            method=first.method,
            parameter=first.parameter,
            weight=first.weight,
            uses_transcripts=first.uses_transcripts,
            num_parameters=first.num_parameters,
            seeds=tuple(record.seed for record in records),
            dev=Mean.of([record.dev for record in records]),
            test=Mean.of(tested) if len(tested) == len(records) else None,
        )


def best_on_dev(cells: Sequence[Cell]) -> Cell | None:
    """The cell with the lowest mean dev WER; in a tie the smaller distillation scale, then hyper-parameter."""
    # equal sums of errors may have means that differ in the last digit
    return min(cells, key=lambda cell: (round(cell.dev.wer, 6), cell.weight or 0, cell.parameter or 0), default=None)


def fullest(records: Sequence[Record]) -> list[Record]:
    """Keeps one record for each cell and seed: of two records, the one with a test score, in the place of the first.

    A row is scored on dev before its hyper-parameter is chosen, and once more with test if it is the chosen one.

    :raises ValueError: both have a test score, or their dev scores differ
    """
    kept: dict[tuple, Record] = {}
    for record in records:
        key = (record.method, record.parameter, record.weight, record.seed)
        known = kept.setdefault(key, record)
        if known is record:
            continue
        if known.test and record.test or known.dev != record.dev:
            raise ValueError(f"rows {known.row} and {record.row} are the same cell {key}: report them separately")
        if record.test:
            kept[key] = record
    return list(kept.values())
