"""A finished CTC model as a teacher: from the name by which a config calls it to its literal and its inventory."""

from __future__ import annotations

import hashlib
import os
from typing import Any, NamedTuple

from sisyphus import tk

from ctc_kd.frames import SUBSAMPLING
from ctc_kd.training.model_inventory import ModelInventoryJob

HAMA = "hama"
ENDS = 1 << 20  # bytes at either end of a file of weights


class FinishedTeacher(NamedTuple):
    """
    :param model: for ``DumpLogitsJob`` and ``PosteriorsJob``, with ``checkpoint=None``
    :param inventory: for these jobs, and for the students
    """

    model: dict[str, Any]
    inventory: tk.Path


def finished_teacher(
    name: str | tk.Path, *, subsampling: int = SUBSAMPLING, pool: str | None = None
) -> FinishedTeacher:
    """
    :param name: ``"hama"``, a name of the Hugging Face hub, or a folder with a CTC model of transformers
    :param subsampling: that of the students' front-end, see ``nn.config.VggConfig``
    :param pool: see ``nn.config.FinishedConfig``; None for its default
    :raises FileNotFoundError: the name is a path, and there is no model
    """
    options = {"subsampling": subsampling, **({} if pool is None else {"pool": pool})}
    if name == HAMA:
        model = {"class": "HamaCtc", **options}
    else:
        model = {"class": "TransformersCtc", "model": _source(name), **options}
    return FinishedTeacher(model, ModelInventoryJob(model=model).out_inventory)


def _source(name: str | tk.Path) -> str | tk.Path:
    """A folder is known by what is in it: ids of jobs stay when it moves, and change when another takes its place."""
    if isinstance(name, tk.Path):
        return name
    folder = os.path.abspath(os.path.expanduser(name))
    is_path = name.startswith(("/", ".", "~")) or os.path.isdir(folder)
    if not is_path:
        return name
    if not os.path.exists(os.path.join(folder, "config.json")):
        raise FileNotFoundError(f"{folder}: no config.json, expected a folder with a CTC model of transformers")
    return tk.Path(folder, hash_overwrite=f"model of transformers {fingerprint(folder)}")


def fingerprint(folder: str) -> str:
    """Of the names, the sizes and the content of the files in a folder; of large files both ends count."""
    digest = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith(".") or not os.path.isfile(path):
            continue
        size = os.path.getsize(path)
        digest.update(f"{name} {size} ".encode())
        with open(path, "rb") as file:
            digest.update(file.read(ENDS))
            file.seek(max(ENDS, size - ENDS))
            digest.update(file.read(ENDS))
    return digest.hexdigest()[:16]
