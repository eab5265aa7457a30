"""The resources that jobs request: their own, changed by a preset and then by ``REQUESTS`` in ``settings.py``.

All outputs of an experiment are registered here, so that one sweep reaches every job behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from sisyphus import Job, gs, tk

FIELDS = {"cpu", "gpu", "mem", "time", "gpu_name", "engine", "partition", "account", "multi_node_slots"}
FIELDS |= {"sbatch_args", "qsub_args", "bsub_args"}  # the last two are for other engines of upstream
_KIND = re.compile(r"^class (\w+Job)\(", re.MULTILINE)


def register_outputs(outputs: Mapping[str, tk.Path | tk.Variable], *, requests: Mapping[str, dict] | None = None):
    """Registers ``outputs`` by name, and sets the resources that the jobs behind them request.

    Resources are not part of a job's identity.

    :param requests: changes by a preset: kind of job, or ``"*"`` for all jobs -> resources
    :raises ValueError: the settings are wrong
    """
    changes = [dict(requests or {}), requests_of_settings()]
    for job in jobs_behind(outputs.values()):
        for change in changes:
            job.rqmt.update({**change.get("*", {}), **change.get(type(job).__name__, {})})
    for name, output in outputs.items():
        tk.register_output(name, output)


def jobs_behind(outputs: Iterable[tk.Path]) -> set[Job]:
    """All jobs that have to run for ``outputs``."""
    found, todo = set(), [output.creator for output in outputs]
    while todo:
        job = todo.pop()
        if job is not None and job not in found:
            found.add(job)
            todo += [path.creator for path in job._sis_inputs]
    return found


def requests_of_settings() -> dict[str, dict]:
    """Kind of job, or ``"*"`` for all jobs -> resources.

    :raises ValueError: there is no such kind of job, or its resources are not a dictionary with known keys
    """
    requests = getattr(gs, "REQUESTS", {})
    for kind, request in requests.items():
        if kind != "*" and kind not in kinds_of_jobs() and kind not in loaded_kinds():
            raise ValueError(
                f"settings.py: REQUESTS has {kind}; expected one of *, {', '.join(sorted(kinds_of_jobs()))}"
            )
        if not isinstance(request, dict) or request.keys() - FIELDS:
            raise ValueError(
                f"settings.py: REQUESTS has {kind}: {request!r}; expected a dictionary of {sorted(FIELDS)}"
            )
    return requests


@cache
def kinds_of_jobs() -> set[str]:
    """Names of all job classes of this recipe, even in modules that this graph has not loaded."""
    files = Path(__file__).parents[1].rglob("*.py")
    return {kind for file in files for kind in _KIND.findall(file.read_text(encoding="utf-8"))}


def loaded_kinds() -> set[str]:
    """Names of the job classes of any recipe that is loaded."""
    found, new = set(), {Job}
    while new:
        found |= new
        new = {kind for parent in new for kind in parent.__subclasses__()} - found
    return {kind.__name__ for kind in found}
