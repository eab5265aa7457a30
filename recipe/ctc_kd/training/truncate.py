"""The student of a self-distillation leaves its teacher: the lower layers and their head as a model of their own."""

from __future__ import annotations

from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_file
from ctc_kd.training.build import check_model, has_two_heads, truncated


class TruncateJob(Job):
    """Makes the checkpoint of the plain model that the intermediate head of a model with two heads belongs to.

    On a CPU its logits equal those of the intermediate head bit for bit.

    :param model: a model with two heads, see ``build.with_two_heads``; :attr:`truncated` is the plain one
    :param checkpoint: its weights
    :param inventory: what its outputs stand for; None for the phonemes
    :raises ValueError: the model has one head
    """

    __sis_hash_exclude__ = {"inventory": None}

    def __init__(self, *, model: dict[str, Any], checkpoint: tk.Path, inventory: tk.Path | None = None):
        check_model(model, has_inventory=inventory is not None)
        if not has_two_heads(model):
            raise ValueError(f"a {model['class']} has one head, so there is nothing to truncate")
        self.model = model
        self.checkpoint = checkpoint
        self.inventory = inventory
        self.truncated = truncated(model)
        self.out_checkpoint = self.output_path("checkpoint.pt")
        self.out_num_parameters = self.output_var("num_parameters")
        self.rqmt = {"cpu": 1, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import torch

        from ctc_kd.training.build import build_model, weights_of
        from ctc_kd.training.outputs import inventory_and_model

        whole = build_model(inventory_and_model(self.inventory, self.model)[1])
        whole.load_state_dict(weights_of(self.checkpoint.get_path()))
        plain = build_model(inventory_and_model(self.inventory, self.truncated)[1])
        plain.load_state_dict(whole.truncated_state())
        with complete_file(self.out_checkpoint.get_path()) as partial:
            torch.save({"model": plain.state_dict()}, partial)
        self.out_num_parameters.set(sum(parameter.numel() for parameter in plain.parameters()))
