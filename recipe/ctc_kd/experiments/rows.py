"""The rows of the paper's tables (arXiv 2506.01503): what each trains on, and with which hyper-parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ctc_kd.report.record import METHODS

PARAMETER_NAME = {"symmetric": "n", "threshold": "alpha", "random": "beta", "prior": "scale"}


@dataclass(frozen=True)
class Row:
    """One training and its scores.

    :param method: ``"teacher"``, ``"baseline"`` (CTC only) or the name of a selection rule (``"all"`` is plain KD)
    :param weight: lambda, the share of the distillation loss
    :param parameter: n, alpha or beta of the rule, or the scale of the prior
    :param seed: of initialisation, dropout and order of the data; None is the preset's
    :raises ValueError: there is no such method, or its hyper-parameter is missing, or it has none
    """

    method: str
    weight: float | None = None
    parameter: float | None = None
    seed: int | None = None

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"there is no method {self.method!r}; known are {', '.join(METHODS)}")
        expected = PARAMETER_NAME.get(self.method)
        if (self.parameter is None) != (expected is None):
            raise ValueError(
                f"{self}: {self.method} takes {f'a parameter, {expected}' if expected else 'no parameter'}"
            )

    @property
    def name(self) -> str:
        parameter = [] if self.parameter is None else [f"{PARAMETER_NAME[self.method]}{self.parameter:g}"]
        weight = [] if self.weight is None else [f"l{self.weight:g}"]
        seed = [] if self.seed is None else [f"s{self.seed}"]
        return "-".join([self.method, *parameter, *weight, *seed])

    @property
    def selection(self) -> dict:
        """Literal of ``ctc_kd.nn.selection.Selection``."""
        parameters = {} if self.parameter is None else {PARAMETER_NAME[self.method]: self.parameter}
        return {"rule": self.method, "parameters": parameters}


TEACHER, BASELINE = Row("teacher"), Row("baseline")
WEIGHTS = (0.25, 0.9, 1.0)
TABLE_1 = [TEACHER, BASELINE, *(Row(method, weight) for method in ("all", "eliminate") for weight in WEIGHTS)]
FIGURE_1 = [Row("symmetric", weight, n) for weight in WEIGHTS for n in (1, 2, 3, 4, 5)]
TABLE_2 = [
    *FIGURE_1,
    *(Row("trim", weight) for weight in WEIGHTS),
    *(Row("threshold", weight, alpha) for weight in WEIGHTS for alpha in (0.95, 0.9, 0.8)),
    *(Row("random", weight, beta) for weight in WEIGHTS for beta in (0.5, 1.0, 2.0)),
]
PRIOR = [Row("prior", weight, 0.5) for weight in WEIGHTS]
"""Prior correction, which the paper mentions without numbers (section 5.1)."""

COVERAGE = list({str(row.selection): row.selection for row in [*TABLE_1[2:], *TABLE_2]}.values())
"""The selections whose share of frames is counted."""


def with_seeds(rows: Sequence[Row], seeds: Sequence[int]) -> list[Row]:
    """Every row once for each seed, but the teacher, which all students share."""
    teacher = [row for row in rows if row == TEACHER]
    return teacher + [replace(row, seed=seed) for seed in seeds for row in rows if row != TEACHER]


def of_methods(rows: Sequence[Row], methods: Sequence[str]) -> list[Row]:
    """The rows of some methods.

    :raises ValueError: there is no row of one of them
    """
    known = list(dict.fromkeys(row.method for row in rows))
    if unknown := set(methods) - set(known):
        raise ValueError(f"there are no rows of {', '.join(sorted(unknown))}; the methods are {', '.join(known)}")
    return [row for row in rows if row.method in methods]
