"""The rows of the paper's tables (arXiv 2506.01503) and of related methods: what each trains, with which parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real

from ctc_kd.methods import METHODS, WEIGHTS, method_of, relatives, rules_of_table
from ctc_kd.plain_numbers import make_plain


@dataclass(frozen=True)
class Row:
    """One training and its scores.

    :param method: a name of ``ctc_kd.methods.METHODS``: ``"teacher"``, ``"baseline"`` (CTC only), a selection rule
        (``"all"`` is plain KD), or a related method with a loss of its own
    :param weight: lambda, the share of the loss beside CTC; None for methods without, such as teacher and baseline
    :param parameter: n, alpha or beta of the rule, the scale of the prior, or what else the method declares
    :param seed: of initialisation, dropout and order of the data; None takes the preset's. All seeds share one teacher
    :raises ValueError: there is no such method, or its weight, hyper-parameter or seed makes no sense
    """

    method: str
    weight: float | None = None
    parameter: float | None = None
    seed: int | None = None

    def __post_init__(self):
        make_plain(self)
        if fault := self._fault():
            raise ValueError(f"{self}: {fault}")

    def _fault(self) -> str | None:
        method = method_of(self.method)
        if self.method == "teacher" and self.seed is not None:
            return "the teacher has no seed of its own: all students share it, and the preset determines its training"
        if not method.weighted and self.weight is not None:
            return f"{self.method} has no distillation loss to weigh"
        if method.weighted and not (isinstance(self.weight, Real) and 0 < self.weight <= 1):
            return f"{self.method} takes a weight above 0, at most 1 (with weight 0 it would be the baseline)"
        if method.parameter is None:
            return None if self.parameter is None else f"{self.method} takes no hyper-parameter"
        if self.parameter is None:
            return f"{self.method} needs its hyper-parameter, {method.parameter.name}"
        return method.parameter.fault_of(self.parameter)

    @property
    def name(self) -> str:
        parameter = [f"{name}{value:g}" for name, value in self.parameters.items()]
        weight = [] if self.weight is None else [f"l{self.weight:g}"]
        seed = [] if self.seed is None else [f"s{self.seed}"]
        return "-".join([self.method, *parameter, *weight, *seed])

    @property
    def selection(self) -> dict:
        """Literal of ``ctc_kd.nn.selection.Selection``."""
        return {"rule": self.method, "parameters": self.parameters}

    @property
    def parameters(self) -> dict[str, float]:
        """The hyper-parameter by its name, where the method has one."""
        parameter = METHODS[self.method].parameter
        return {parameter.name: self.parameter} if parameter else {}


TEACHER, BASELINE = Row("teacher"), Row("baseline")


def grid_of(method: str) -> list[Row]:
    """A method at every weight, with every value of its hyper-parameter."""
    parameter, weights = METHODS[method].parameter, WEIGHTS if METHODS[method].weighted else [None]
    return [Row(method, weight, value) for weight in weights for value in (parameter.tried if parameter else [None])]


def _of_table(number: int) -> list[Row]:
    return [row for name in rules_of_table(number) for row in grid_of(name)]


TABLE_1 = [TEACHER, BASELINE, *_of_table(1)]
TABLE_2 = _of_table(2)
FIGURE_1 = grid_of("symmetric")
PRIOR = grid_of("prior")
"""Prior correction, which the paper mentions without numbers (section 5.1)."""

RELATIVES = [row for name in relatives() for row in grid_of(name)]
"""Methods with other losses than the paper's."""

COVERAGE = list({str(row.selection): row.selection for row in [*TABLE_1[2:], *TABLE_2]}.values())
"""The selections whose share of frames is counted."""


def with_seeds(rows: Sequence[Row], seeds: Sequence[int]) -> list[Row]:
    """Repeats every row for each seed, except the teacher, which all students share."""
    teacher = [row for row in rows if row == TEACHER]
    return teacher + [replace(row, seed=seed) for seed in seeds for row in rows if row != TEACHER]


def of_methods(rows: Sequence[Row], methods: Sequence[str] | None) -> list[Row]:
    """The rows of some methods; all rows for None.

    :raises ValueError: a method has no rows
    """
    if methods is None:
        return list(rows)
    known = list(dict.fromkeys(row.method for row in rows))
    if unknown := set(methods) - set(known):
        raise ValueError(f"there are no rows of {', '.join(sorted(unknown))}; the methods are {', '.join(known)}")
    return [row for row in rows if row.method in methods]
