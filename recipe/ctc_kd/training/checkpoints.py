"""Which checkpoint of a training is used: the best one by dev WER, or the average of the best ones by dev loss."""

from __future__ import annotations

import os

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_file, read_json
from ctc_kd.training.training_config import CHECKPOINT


class SelectCheckpointJob(Job):
    """Selects the checkpoint with the lowest word error rate on dev, and the latest one if several are equal.

    :param checkpoints: candidates, in order of training
    :param grids: for each candidate the ``out_grid`` of its ``TuneScalesJob``
    """

    def __init__(self, *, checkpoints: list[tk.Path], grids: list[tk.Path]):
        self.checkpoints = checkpoints
        self.grids = grids

        self.out_checkpoint = self.output_path("checkpoint.pt")
        self.out_wer = self.output_var("dev_wer")

        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.5}

    def tasks(self):
        yield Task("run", resume="run", mini_task=True, rqmt=self.rqmt)

    def run(self):
        import shutil

        wers = []
        for checkpoint, path in zip(self.checkpoints, self.grids, strict=True):
            wers.append(min(point["wer"] for point in read_json(path.get_path())))
            print(f"{wers[-1]:6.2f} % {checkpoint.get_path()}")
        best = min(range(len(wers)), key=lambda index: (wers[index], -index))
        with complete_file(self.out_checkpoint.get_path()) as partial:
            shutil.copyfile(self.checkpoints[best].get_path(), partial)
        self.out_wer.set(wers[best])


class AverageCheckpointsJob(Job):
    """Averages the parameters of the checkpoints that are best by a score of the learning curves.

    :param models: ``out_models`` of a training that kept its best ``num`` checkpoints
    :param curves: its ``out_curves``
    :param score: e.g. ``dev_loss_ctc``, lower is better
    """

    def __init__(self, *, models: tk.Path, curves: tk.Path, score: str, num: int = 4):
        self.models = models
        self.curves = curves
        self.score = score
        self.num = num

        self.out_checkpoint = self.output_path("average.pt")

        self.rqmt = {"cpu": 1, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def best_epochs(self) -> list[int]:
        """The best sub-epochs among those whose checkpoints were kept, best first."""
        curves = read_json(self.curves.get_path())
        scores = {entry["epoch"]: entry["scores"].get(self.score) for entry in curves}
        kept = [epoch for epoch in scores if os.path.exists(self._file(epoch)) and scores[epoch] is not None]
        if len(kept) < self.num:
            raise ValueError(
                f"{self.models.get_path()}: found {len(kept)} checkpoints with a {self.score}, expected {self.num}; "
                f"let the training keep its best {self.num} (TrainJob.keep_best)"
            )
        return sorted(kept, key=lambda epoch: scores[epoch])[: self.num]

    def _file(self, epoch: int) -> str:
        return f"{self.models.get_path()}/{CHECKPOINT.format(epoch)}"

    def run(self):
        import torch

        from ctc_kd.training.build import weights_of

        epochs = self.best_epochs()
        print(f"averaging the sub-epochs {epochs}")
        states = [weights_of(self._file(epoch)) for epoch in epochs]
        mean = {}
        for name, first in states[0].items():
            stacked = torch.stack([state[name] for state in states])
            mean[name] = stacked.mean(dim=0) if first.is_floating_point() else first
        with complete_file(self.out_checkpoint.get_path()) as partial:
            torch.save({"model": mean}, partial)
