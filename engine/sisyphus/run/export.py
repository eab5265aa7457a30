"""Writes down where every job stands in the graph, whatever its id is."""

import logging
import sys

from ..block import Block
from ..graph import OutputPath
from ..graph import graph as sis_graph
from ..job import Job
from ..job_path import AbstractPath

_STEPS = (str, bytes, int, float, type(None))


def export_graph(output_file=None):
    """Write a line ``<job id> <steps>`` for every job, to standard output if no file is named.

    The steps are a list: the name of an output, and the attributes, keys and positions that lead from it to the job.
    """
    sis_graph.update_nodes()
    lines = [f"{job._sis_id()} {steps!r}\n" for job, steps in _jobs_with_steps()]
    if output_file is None:
        sys.stdout.writelines(lines)
        return
    with open(output_file, "w", encoding="utf-8") as f:
        f.writelines(lines)


def _jobs_with_steps():
    """Yields every job once. Warns of jobs that only a set with several members leads to: it has no positions."""
    outputs = [target for target in sis_graph.targets if isinstance(target, OutputPath)]
    stack = [(target._sis_path, [target.name]) for target in reversed(outputs)]
    seen, found = set(), set()
    while stack:
        value, steps = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Job):
            found.add(value)
            yield value, steps
        stack += [(part, [*steps, step]) for step, part in reversed(_parts(value))]
    for job in sis_graph.walk():
        if job not in found:
            logging.warning("not exported, because no output leads to it, or only a set: %s", job)


def _parts(value):
    """``(step, part)`` of what may hold jobs."""
    if isinstance(value, AbstractPath):
        return [("creator", value.creator)]
    if isinstance(value, dict):
        return [(key, part) for key, part in value.items() if isinstance(key, _STEPS)]
    if isinstance(value, (list, tuple)) or (isinstance(value, set) and len(value) == 1):
        return list(enumerate(value))
    if isinstance(value, (Block, type)):
        return []
    return [(name, part) for name, part in getattr(value, "__dict__", {}).items() if not name.startswith("_sis")]
