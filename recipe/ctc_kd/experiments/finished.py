"""A finished CTC model as a config names it."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from sisyphus import tk

from ctc_kd.experiments.corpora import is_path

ENDS = 1 << 20  # bytes at either end of a file of weights


def own_teacher(name: str) -> dict[str, Any]:
    """The class and config of a finished CTC model.

    A folder is known by what is in it: ids of jobs stay when it moves, and change when another model takes its place.

    :param name: ``"hama"``, a name of the Hugging Face hub, or a folder with a model of transformers
    :raises FileNotFoundError: the name is a path, and there is no model
    """
    if name == "hama":
        return {"class": "HamaCtc"}
    if not is_path(name):
        return {"class": "TransformersCtc", "model": name}
    folder = os.path.abspath(os.path.expanduser(name))
    if not os.path.exists(os.path.join(folder, "config.json")):
        raise FileNotFoundError(f"{folder}: no config.json, expected a folder with a CTC model of transformers")
    model = tk.Path(folder, hash_overwrite=f"model of transformers {fingerprint(folder)}")
    return {"class": "TransformersCtc", "model": model}


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
