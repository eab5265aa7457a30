"""Every method of the tables (arXiv 2506.01503), declared once: its hyper-parameter, its names, and its table.

A rule's function is the one of the same name in ``ctc_kd.nn.selection.RULES``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real


@dataclass(frozen=True)
class Parameter:
    """The hyper-parameter of a rule.

    :param name: argument of the rule's function
    :param symbol: how tables show it
    :param tried: the values in the paper's tables
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


@dataclass(frozen=True)
class Method:
    """
    :param name: its name in configs, rows and records
    :param short: its name in tables
    :param long: its name in sentences
    :param distils: whether it trains on the teacher's logits, with a weight lambda; its rule then has the same name
    :param parameter: hyper-parameter of its rule
    :param table: number of its table in the paper; None if it is in no table
    """

    name: str
    short: str
    long: str
    distils: bool = True
    parameter: Parameter | None = None
    table: int | None = None


_ALL = (
    Method("teacher", "Teacher", "The teacher", distils=False, table=1),
    Method("baseline", "Baseline", "The CTC baseline", distils=False, table=1),
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
)

METHODS = {method.name: method for method in _ALL}
"""All methods by name, in the order of the tables."""


def rules_of_table(number: int) -> list[str]:
    """The names of the methods in a table of the paper that distil."""
    return [name for name, method in METHODS.items() if method.table == number and method.distils]


def method_of(name: str) -> Method:
    """:raises ValueError: there is no such method"""
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}; expected one of {', '.join(METHODS)}")
    return METHODS[name]


def check_rule(rule: str, parameters: Mapping[str, float]):
    """
    :raises ValueError: there is no such selection rule, or ``parameters`` are not its hyper-parameter in its range
    """
    rules = [name for name, method in METHODS.items() if method.distils]
    if rule not in rules:
        raise ValueError(f"there is no selection rule {rule!r}; expected one of {', '.join(rules)}")
    expected = METHODS[rule].parameter
    names = [expected.name] if expected else []
    if list(parameters) != names:
        raise ValueError(f"selection rule {rule!r} takes {names or 'no parameters'}, got {list(parameters)}")
    if expected and (fault := expected.fault_of(parameters[expected.name])):
        raise ValueError(f"selection rule {rule!r}: {fault}")
