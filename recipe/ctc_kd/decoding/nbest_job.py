"""N-best lists of a teacher, from its stored logits: the targets of sequence-level distillation."""

from __future__ import annotations

import math
import os

from sisyphus import Job, Task, tk

from ctc_kd.decoding.search import SearchConfig

PARTS = 4
"""Parts of each file of the store, so that several processes have work."""


class NBestJob(Job):
    """Finds the most probable label sequences of each utterance, see :class:`ctc_kd.decoding.nbest.NBestSearch`.

    ``out_hypotheses`` is a folder with two stores. Of an utterance ``labels.hdf`` has the sequences one behind the
    other, each ends with a blank, and ``weights.hdf`` their probabilities ``[N, 1]``, divided by their sum.

    The number of worker processes is ``rqmt["cpu"]``.

    :param logits: store by ``DumpLogitsJob``
    :param num: length of the lists; an utterance with fewer sequences in the beam has a shorter one
    """

    def __init__(self, *, logits: tk.Path, num: int, search: SearchConfig):
        self.logits = logits
        self.num = num
        self.search = search
        self.out_hypotheses = self.output_path("hypotheses", directory=True)
        self.rqmt = {"cpu": 2, "mem": 8, "time": 12}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import numpy as np

        from ctc_kd.decoding.workers import run_units
        from ctc_kd.inventory import inventory_of
        from ctc_kd.store import HdfWriter, hdf_files, read_utterances
        from ctc_kd.training.datasets import HYPOTHESES

        store = self.logits.get_path()
        inventory = inventory_of(store)
        units = {unit: unit for unit in ((file, part) for file in hdf_files(store) for part in range(PARTS))}
        found = {}
        for _, some in run_units(self._search_function(inventory), units, workers=self.rqmt["cpu"]):
            found.update(some)
            print(f"{len(found)} utterances", flush=True)
        metadata = {"content": "hypotheses", "inventory": inventory.facts()}
        paths = {key: os.path.join(self.out_hypotheses.get_path(), name) for key, name in HYPOTHESES.items()}
        with (
            HdfWriter(paths["hypotheses"], labels=inventory.labels, metadata=metadata) as labels,
            HdfWriter(paths["hypothesis_weights"], labels=["weight"]) as weights,
        ):
            for utterance in read_utterances(store):
                sequences, probabilities = found[utterance]
                stored = [label for sequence in sequences for label in (*sequence, inventory.blank)]
                labels.add(utterance, np.array(stored, dtype="int32"))
                weights.add(utterance, np.array(probabilities, dtype="float32")[:, None])

    def _search_function(self, inventory):
        """``(file, part) -> {utterance: (label sequences, weights)}``"""
        import torch

        from ctc_kd.decoding.nbest import NBestSearch
        from ctc_kd.store import read_hdf

        search = NBestSearch(config=self.search, inventory=inventory)

        def search_part(unit):
            torch.set_num_threads(1)
            file, part = unit
            found = {}
            for number, (utterance, logits) in enumerate(read_hdf(file)):
                if number % PARTS == part:
                    sequences, log_probs = zip(*search.best(logits, self.num), strict=True)
                    found[utterance] = sequences, normalised(log_probs)
            return found

        return search_part


def normalised(log_probabilities: tuple[float, ...]) -> list[float]:
    """Probabilities, divided by their sum. The first log probability is the largest."""
    relative = [math.exp(value - log_probabilities[0]) for value in log_probabilities]
    return [value / sum(relative) for value in relative]
