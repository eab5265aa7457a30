"""Loads every function without parameters below folders in ``recipe/`` as a config; writes what each adds to the graph.

    python configs.py FOLDER ... RESULT.json

For each ``{"error": type of the exception, "jobs": [id], "aliases": {id: names}, "targets": [kind, name, paths]}``
"""

import importlib
import inspect
import json
import sys
from pathlib import Path

from imports import import_error, modules
from sisyphus import tk
from sisyphus.job import created_jobs
from sisyphus.loader import config_manager


def configs(folder):
    """Names of the public functions that can be called without arguments."""
    for module in modules(folder):
        if import_error(module):
            continue
        for name, function in sorted(vars(importlib.import_module(module)).items()):
            if inspect.isfunction(function) and function.__module__ == module and not name.startswith(("_", "test_")):
                parameters = inspect.signature(function).parameters.values()
                if all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
                    yield f"{module}.{name}"


def load(config):
    jobs, targets = set(created_jobs), set(tk.sis_graph.targets)
    error = ""
    try:
        config_manager.load_config_file(config)
    except Exception as e:
        error = type(e).__name__
    new = {job_id: created_jobs[job_id] for job_id in sorted(set(created_jobs) - jobs)}
    return {
        "error": error,
        "jobs": list(new),
        "aliases": {job_id: sorted(job.get_aliases()) for job_id, job in new.items() if job.get_aliases()},
        "targets": sorted(map(described, set(tk.sis_graph.targets) - targets)),
    }


def described(target):
    """A callback's name is made up by each engine."""
    kind = type(target).__name__
    paths = [path.get_path() for path in target.required_full_list]
    return [kind, "" if kind == "OutputCall" else target.name, paths]


if __name__ == "__main__":
    *folders, result = sys.argv[1:]
    del sys.argv[1:]
    Path(result).write_text(json.dumps({config: load(config) for folder in folders for config in configs(folder)}))
