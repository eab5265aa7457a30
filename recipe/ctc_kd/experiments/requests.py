"""``REQUESTS`` of ``settings.py``: what kinds of jobs ask for, instead of what presets say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sisyphus import Job, gs

FIELDS = {"cpu", "gpu", "mem", "time", "gpu_name", "engine", "partition", "account", "multi_node_slots"}
FIELDS |= {"sbatch_args", "qsub_args", "bsub_args"}  # the last two for other engines of upstream
_KIND = re.compile(r"^class (\w+Job)\(", re.MULTILINE)


def requests_of_settings() -> dict[str, dict]:
    """Kind of job, or ``"*"`` for all -> what to ask for.

    :raises ValueError: there is no such kind of job, or what it asks for is no dictionary with known keys
    """
    requests = getattr(gs, "REQUESTS", {})
    for kind, request in requests.items():
        if kind != "*" and kind not in kinds_of_jobs() and kind not in loaded_kinds():
            raise ValueError(f"settings.py: REQUESTS has {kind}; known are *, {', '.join(sorted(kinds_of_jobs()))}")
        if not isinstance(request, dict) or request.keys() - FIELDS:
            raise ValueError(
                f"settings.py: REQUESTS has {kind}: {request!r}; expected a dictionary of {sorted(FIELDS)}"
            )
    return requests


@cache
def kinds_of_jobs() -> set[str]:
    """Names of all job classes of this recipe, also of modules that this graph has not loaded."""
    files = Path(__file__).parents[1].rglob("*.py")
    return {kind for file in files for kind in _KIND.findall(file.read_text(encoding="utf-8"))}


def loaded_kinds() -> set[str]:
    """Names of the job classes of any recipe that is loaded."""
    found, new = set(), {Job}
    while new:
        found |= new
        new = {kind for parent in new for kind in parent.__subclasses__()} - found
    return {kind.__name__ for kind in found}
