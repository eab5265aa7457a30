"""Every method, declared once: its hyper-parameter, its names, its loss, and its table in the paper (arXiv 2506.01503).

A selection rule's function is the one of the same name in ``ctc_kd.nn.selection.RULES``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real

WEIGHTS = (0.25, 0.9, 1.0)
"""The distillation scales of the paper's tables."""


@dataclass(frozen=True)
class Parameter:
    """The hyper-parameter of a method.

    :param name: argument of the rule's function, or setting of the loss
    :param symbol: how tables show it
    :param tried: the values in the paper's tables, or those of a method that is in none
    :param most: the largest value that makes sense; all values are above 0
    :param whole: whether only whole numbers make sense
    """

    name: str
    symbol: str
    tried: tuple[float, ...]
    most: float | None = None
    whole: bool = False

    def fault_of(self, value: float) -> str | None:
        """What is wrong with a value; None if nothing is."""
        most = math.inf if self.most is None else self.most
        if isinstance(value, Integral if self.whole else Real) and 0 < value <= most and value != math.inf:
            return None
        kind = "a whole number" if self.whole else "a number"
        at_most = "" if self.most is None else f", at most {self.most:g}"
        return f"{self.name} is {value!r}, expected {kind} above 0{at_most}"


SELECTS = "DistillationLoss"
"""The criterion of selection rules."""


@dataclass(frozen=True)
class Method:
    """
    :param name: its name in configs, rows and records
    :param short: its name in tables
    :param long: its name in sentences
    :param distils: whether it learns from the teacher
    :param parameter: its hyper-parameter
    :param table: number of its table in the paper; None if it is in no table
    :param criterion: the loss that it trains with, a name of ``ctc_kd.training.criteria.CRITERIA``
    :param weighted: whether a row of it has a weight lambda beside the CTC loss
    :param updates: number of its updates divided by that of other rows, for a method whose updates cost more
    """

    name: str
    short: str
    long: str
    distils: bool = True
    parameter: Parameter | None = None
    table: int | None = None
    criterion: str = SELECTS
    weighted: bool = True
    updates: float = 1.0

    @property
    def is_rule(self) -> bool:
        """Whether it is a selection rule, of the same name."""
        return self.distils and self.criterion == SELECTS


_CONSISTENCY = Parameter("alpha", "α", tried=(0.2,))

_ALL = (
    Method("teacher", "Teacher", "The teacher", distils=False, weighted=False, table=1),
    Method("baseline", "Baseline", "The CTC baseline", distils=False, weighted=False, table=1),
    Method("all", "KD", "Plain KD", table=1),
    Method("eliminate", "Blank elim.", "Blank elimination", table=1),
    Method(
        "symmetric",
        "Symmetric",
        "Symmetric selection",
        parameter=Parameter("n", "n", tried=(1, 2, 3, 4, 5), whole=True),
        table=2,
    ),
    Method("trim", "Trim", "Trimming", table=2),
    Method(
        "threshold",
        "Threshold",
        "Threshold selection",
        parameter=Parameter("alpha", "α", tried=(0.95, 0.9, 0.8), most=1),
        table=2,
    ),
    Method("random", "Random", "Random selection", parameter=Parameter("beta", "β", tried=(0.5, 1.0, 2.0)), table=2),
    Method(
        "prior", "Prior", "Prior-corrected elimination", parameter=Parameter("scale", "scale", tried=(0.5,))
    ),  # mentioned without numbers (section 5.1)
    Method(
        "blank_share",
        "Blank share",
        "Symmetric selection by share of blank",
        parameter=Parameter("share", "share", tried=(0.5,), most=0.9),
    ),
    Method(
        "neighbour",
        "Neighbour",
        "Selection of frames that know their neighbour's label",
        parameter=Parameter("alpha", "α", tried=(0.1,), most=1),
    ),
    Method("guide", "Guide-CTC", "Guide-CTC", criterion="GuidedCtcLoss"),
    Method(
        "intermediate",
        "Inter-CTC",
        "Intermediate CTC",
        distils=False,
        weighted=False,
        parameter=Parameter("alpha", "α", tried=(0.3, 0.5), most=0.9),
        criterion="IntermediateCtcLoss",
    ),
    Method("soft", "Soft", "Soft selection", criterion="SoftSelectionLoss"),
    Method(
        "sequence",
        "Sequence KD",
        "Sequence-level KD",
        parameter=Parameter("n", "N", tried=(1, 4), whole=True),
        criterion="SequenceLoss",
    ),
    Method(
        "frames_and_path",
        "KD, best path",
        "Plain KD and CTC on the teacher's best path",
        parameter=Parameter("share", "share", tried=(0.5,), most=0.9),
        criterion="FrameAndSequenceLoss",
    ),
    Method("factorised", "Factorised", "Factorised KD", criterion="FactorisedLoss"),
    Method(
        "delayed",
        "Delayed",
        "Delayed KD",
        parameter=Parameter("d", "d", tried=(1, 2), whole=True),
        criterion="DelayedLoss",
    ),
    Method(
        "inter",
        "Inter-KD",
        "Inter-KD",
        parameter=Parameter("share", "share", tried=(0.3, 0.5), most=0.9),
        criterion="InterLoss",
    ),
    Method(
        "cr_ctc",
        "CR-CTC",
        "CR-CTC",
        distils=False,
        weighted=False,
        parameter=_CONSISTENCY,
        criterion="ConsistencyLoss",
    ),
    Method(
        "cr_ctc_half",
        "CR-CTC, half",
        "CR-CTC with half of the updates",
        distils=False,
        weighted=False,
        parameter=_CONSISTENCY,
        criterion="ConsistencyLoss",
        updates=0.5,
    ),
)

METHODS = {method.name: method for method in _ALL}
"""All methods by name, in the order of the tables."""


def rules_of_table(number: int) -> list[str]:
    """The names of the methods in a table of the paper that distil."""
    return [name for name, method in METHODS.items() if method.table == number and method.distils]


def relatives() -> list[str]:
    """The names of the methods whose loss is not the paper's."""
    return [name for name, method in METHODS.items() if method.criterion != SELECTS]


def method_of(name: str) -> Method:
    """:raises ValueError: there is no such method"""
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}; expected one of {', '.join(METHODS)}")
    return METHODS[name]


def check_rule(rule: str, parameters: Mapping[str, float]):
    """
    :raises ValueError: there is no such selection rule, or ``parameters`` are not its hyper-parameter in its range
    """
    rules = [name for name, method in METHODS.items() if method.is_rule]
    if rule not in rules:
        raise ValueError(f"there is no selection rule {rule!r}; expected one of {', '.join(rules)}")
    expected = METHODS[rule].parameter
    names = [expected.name] if expected else []
    if list(parameters) != names:
        raise ValueError(f"selection rule {rule!r} takes {names or 'no parameters'}, got {list(parameters)}")
    if expected and (fault := expected.fault_of(parameters[expected.name])):
        raise ValueError(f"selection rule {rule!r}: {fault}")


def check_parameter(method: str, value: float):
    """
    :raises ValueError: the hyper-parameter of a method is not in its range
    """
    if fault := METHODS[method].parameter.fault_of(value):
        raise ValueError(f"{method}: {fault}")
