"""How many outputs a model has, and what they stand for."""

from __future__ import annotations

from typing import Any

from sisyphus import tk

from ctc_kd.inventory import Inventory, read_inventory
from ctc_kd.lexicon.inventory import phonemes


def inventory_and_model(path: tk.Path | None, model: dict[str, Any]) -> tuple[Inventory, dict[str, Any]]:
    """The inventory of a job, and its model with as many outputs as that has labels.

    :param path: inventory; None for the phonemes
    :param model: class and config of a model. Only one with phonemes must say ``num_labels_with_blank`` itself
    :raises ValueError: the model asks for another number of outputs
    """
    if path is None:
        return phonemes(model["num_labels_with_blank"]), model
    inventory = read_inventory(path.get_path())
    num_labels = len(inventory.labels)
    asked = model.get("num_labels_with_blank", num_labels)
    if asked != num_labels:
        raise ValueError(
            f"the model has num_labels_with_blank {asked}, but {path.get_path()} has {num_labels} labels: leave it out"
        )
    return inventory, {**model, "num_labels_with_blank": num_labels}
