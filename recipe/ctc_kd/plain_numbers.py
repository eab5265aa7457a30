"""Numbers that were computed with NumPy, as plain ones: ids of jobs and config files are made of Python's numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def plain(value: Any) -> Any:
    """Turns NumPy's numbers, also inside of dicts, lists and tuples, into Python's of equal value; arrays into tuples.

    ``numpy.float32(0.1)`` becomes 0.10000000149011612, the number that it is.
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    if type(value).__module__ == "numpy":  # graphs load without NumPy, so its types cannot be named here
        number = value.tolist()
        return tuple(number) if isinstance(number, list) else number
    return value


def make_plain(instance: Any):
    """Makes the fields of a dataclass plain, so that a job's id does not depend on which numbers they were."""
    for field in fields(instance):
        object.__setattr__(instance, field.name, plain(getattr(instance, field.name)))
