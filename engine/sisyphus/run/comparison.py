"""Where two jobs differ, and the jobs that they read from."""

from ..hash import get_object_state
from ..job import Job
from ..job_path import AbstractPath
from ..tools import sis_hash


def compare_graph(a, b):
    """Yields every difference of two jobs, paths or other values: the pairs that lead to it, beginning with ``(a, b)``.

    A key, parameter or attribute that only one of the two has is a pair with None. Equal pairs are compared once.
    """
    stack, seen = [[(a, b)]], set()
    while stack:
        trace = stack.pop()
        x, y = trace[-1]
        key = sis_hash(x), sis_hash(y)
        if key in seen:
            continue
        seen.add(key)
        if type(x) is not type(y):
            yield [*trace, (type(x), type(y))]
            continue
        ends, below = _differences(x, y)
        yield from ([*trace, *end] for end in ends)
        stack += ([*trace, pair] for pair in reversed(below))


def _differences(x, y):
    """``(ends of traces, pairs to compare next)`` of two values of one type."""
    if isinstance(x, Job):
        return [], [(x._sis_kwargs, y._sis_kwargs)] * (x != y)
    if isinstance(x, AbstractPath):
        return ([[(x.path, y.path)]], []) if x.path != y.path else ([], [(x.creator, y.creator)])
    if isinstance(x, (list, tuple, set, frozenset)):
        if len(x) != len(y):
            return [[(len(x), len(y))]], []
        if isinstance(x, (set, frozenset)):
            x, y = sorted(x, key=sis_hash), sorted(y, key=sis_hash)
        return [], list(zip(x, y, strict=True))
    if isinstance(x, dict):
        missing = [(key, None) for key in x if key not in y] + [(None, key) for key in y if key not in x]
        return [[pair] for pair in missing], [(value, y[key]) for key, value in x.items() if key in y]
    state = get_object_state(x)
    if state is x:
        return [[]] * (x != y), []
    return [], [(state, get_object_state(y))]
