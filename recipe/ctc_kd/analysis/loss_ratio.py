"""The weight at which a distillation loss counts as much beside CTC as another one does."""

from __future__ import annotations

from collections.abc import Sequence

from sisyphus import Job, Task, tk

from ctc_kd.files import read_json


class MatchedWeightJob(Job):
    """Solves ``x / (1 - x) * R(curves) = weight / (1 - weight) * R(like)`` for ``out_weight``, to three decimals.

    R is the KD loss divided by the CTC loss, both unweighted and summed over all sub-epochs and trainings. So KD has
    the same share of both losses. It is measured in trainings with ``weight``; with the weight that is found it will be
    a little different.

    :param weight: lambda of all these trainings, between 0 and 1
    :param curves: learning curves of the rows whose weight is wanted
    :param like: those of the rows that say how much KD should count
    """

    def __init__(self, *, weight: float, curves: Sequence[tk.Path], like: Sequence[tk.Path]):
        if not 0 < weight < 1:
            raise ValueError(f"weight {weight}: expected a number between 0 and 1, so that there are two losses")
        self.weight = weight
        self.curves = curves
        self.like = like
        self.out_weight = self.output_var("weight")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        ours, theirs = (loss_ratio([path.get_path() for path in paths]) for paths in (self.curves, self.like))
        odds = self.weight / (1 - self.weight) * theirs / ours
        self.out_weight.set(round(odds / (1 + odds), 3))
        print(f"KD / CTC is {ours:.4f}, and {theirs:.4f} where it should count as much: {self.out_weight.get()}")


def loss_ratio(curves: Sequence[str]) -> float:
    """KD loss divided by CTC loss.

    :param curves: files by ``TrainJob``
    :raises ValueError: a training does not have both losses
    """
    sums = {"train_loss_kd": 0.0, "train_loss_ctc": 0.0}
    for path in curves:
        for entry in read_json(path):
            if missing := sorted(sums.keys() - entry["scores"].keys()):
                raise ValueError(
                    f"{path}: sub-epoch {entry['epoch']} has no {', '.join(missing)}; expected both losses"
                )
            sums = {name: total + entry["scores"][name] for name, total in sums.items()}
    return sums["train_loss_kd"] / sums["train_loss_ctc"]
