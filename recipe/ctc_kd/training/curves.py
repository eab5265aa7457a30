"""Reads learning curves from RETURNN's learning-rate file."""

from __future__ import annotations

import math


def read_learning_curves(path: str) -> list[dict]:
    """One entry per finished sub-epoch: ``{"epoch", "learning_rate", "scores": {name: value}, "seconds"}``.

    :param path: RETURNN's ``learning_rate_file``, a Python dictionary from epoch to ``EpochData``
    """
    from returnn.learning_rate_control import LearningRateControl

    with open(path) as file:
        text = file.read()
    names = {"EpochData": LearningRateControl.EpochData, "nan": math.nan, "inf": math.inf}
    epochs = eval(text, {"__builtins__": {}}, names)
    return [
        {
            "epoch": epoch,
            "learning_rate": data.learning_rate,
            "scores": data.error,
            "seconds": data.meta.get("epoch_train_time_secs"),
        }
        for epoch, data in sorted(epochs.items())
        if data.error
    ]
