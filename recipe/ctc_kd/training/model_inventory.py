"""The inventory of a finished model, and all that can be wrong with the model, before a job with a GPU starts."""

from __future__ import annotations

from typing import Any

from sisyphus import Job, Task

from ctc_kd.training.build import check_model, is_finished


class ModelInventoryJob(Job):
    """Reads what the outputs of a finished model stand for, and loads the model once to see whether it can teach.

    :param model: class and config of a finished model, without ``num_labels_with_blank``
    :raises ValueError: it is no finished model, or its config cannot be built
    """

    def __init__(self, *, model: dict[str, Any]):
        check_model(model, has_inventory=True)
        if not is_finished(model):
            raise ValueError(f"a {model['class']} has no inventory of its own; expected a finished model")
        self.model = model
        self.out_inventory = self.output_path("inventory.json")
        self.rqmt = {"cpu": 1, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.inventory import write_inventory
        from ctc_kd.lexicon.finished_vocabulary import finished_inventory
        from ctc_kd.training.build import build_model
        from ctc_kd.training.returnn_config import as_literal

        literal = as_literal(self.model)
        inventory = finished_inventory(literal)
        teacher = build_model({**literal, "num_labels_with_blank": len(inventory.labels)})
        print(f"{teacher.identity}: {len(inventory.labels)} labels, which are {inventory.kind}; {teacher.pooling}")
        write_inventory(self.out_inventory.get_path(), inventory)
