"""What was measured of a row, and the mean of rows that differ only in their seed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ctc_kd.report.students import Column, Table


class Errors(NamedTuple):
    """In percent of the references' words or labels."""

    rate: float
    substitutions: float
    deletions: float
    insertions: float

    @classmethod
    def of(cls, counts: Mapping[str, Any]) -> Errors:
        """:param counts: by ScoreJob or LabelErrorRateJob"""
        kinds = [counts[kind] for kind in cls._fields[1:]]
        total = counts["hits"] + counts["substitutions"] + counts["deletions"]
        return cls(100 * sum(kinds) / total, *(100 * number / total for number in kinds))


@dataclass(frozen=True)
class AnalysedRow:
    """
    :param label: the same for all seeds
    :param errors: decoder -> ``dev`` or ``test`` -> errors
    :param alignment: content of ``AlignmentJob.out_alignment``; None for the teacher
    """

    label: str
    seed: int | None
    errors: dict[str, dict[str, Errors]]
    alignment: dict[str, Any] | None


class Rows:
    """:param rows: of one experiment, in the order of its tables"""

    def __init__(self, rows: Sequence[AnalysedRow]):
        self.groups: dict[str, list[AnalysedRow]] = {}
        for row in rows:
            self.groups.setdefault(row.label, []).append(row)
        self.teachers = [label for label, group in self.groups.items() if group[0].alignment is None]
        self.decoders = list(dict.fromkeys(decoder for row in rows for decoder in row.errors))

    @property
    def students(self) -> list[str]:
        return [label for label in self.groups if label not in self.teachers]

    def mean(self, label: str, value: Callable[[AnalysedRow], float | None]) -> tuple[float | None, float | None]:
        """Mean and spread (sample standard deviation) over the seeds of a row; None where a seed has no value."""
        values = [value(row) for row in self.groups[label]]
        if None in values:
            return None, None
        return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None

    def table(self, columns: Mapping[str, tuple[Column, Callable]], labels: Iterable[str]) -> Table:
        """
        :param columns: name -> column, and what it shows of a row
        :param labels: of the rows
        """
        found = {label: {name: self.mean(label, value) for name, (_, value) in columns.items()} for label in labels}
        means, spreads = (
            {label: {name: pair[part] for name, pair in row.items()} for label, row in found.items()} for part in (0, 1)
        )
        return Table({name: column for name, (column, _) in columns.items()}, means, self.teachers, spreads)
