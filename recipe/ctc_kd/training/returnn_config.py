"""Writes RETURNN config files, with the options that all our trainings and forward passes share."""

from __future__ import annotations

import pprint
from typing import Any

from ctc_kd.files import write_lines
from ctc_kd.machine import gpus
from ctc_kd.plain_numbers import plain

STEPS_MODULE = "ctc_kd.training.steps"
BEHAVIOR_VERSION = 38  # of RETURNN; below 37, each of several loader processes returns all of the data
MODEL_SIZE_FILE = "num_parameters"  # steps.get_model writes the model's number of parameters there


def as_literal(value: Any) -> Any:
    """Turns a value into plain Python literals for a config file: paths become file names, tuples become lists."""
    if isinstance(value, dict):
        return {key: as_literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_literal(item) for item in value]
    return value.get_path() if hasattr(value, "get_path") else value


def write_config(path: str, *, settings: dict[str, Any], steps: list[str], module: str = STEPS_MODULE):
    """Write a RETURNN config.

    :param settings: names and literal values, which may be NumPy's numbers
    :param steps: names imported from ``module``, e.g. ``get_model``, ``train_step``
    """
    common = {
        "backend": "torch",
        "behavior_version": BEHAVIOR_VERSION,
        "log_verbosity": 4,
        "target": None,
        "torch_log_memory_usage": True,
        "use_lovely_tensors": False,
    }
    lines = ["#!returnn", f"from {module} import {', '.join(steps)}", ""]
    for name, value in sorted({**common, **settings}.items()):
        lines.append(f"{name} = {pprint.pformat(plain(value), width=110, sort_dicts=False)}")
    write_lines(path, lines)


def gpu_options(rqmt: dict) -> dict:
    """A job with a GPU puts batches together in a process of their own, other jobs in the training process.

    If it was given a GPU that torch cannot use, as with an old driver, it fails and does not go on with the CPU.
    """
    loader = {"num_workers": 1 if rqmt.get("gpu") else 0, "pin_memory": bool(rqmt.get("gpu"))}
    return {"torch_dataloader_opts": loader, **({"device": "gpu"} if rqmt.get("gpu") and gpus() else {})}
