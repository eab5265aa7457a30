"""How a model is trained: schedule, batches, optimiser."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ctc_kd.plain_numbers import make_plain

CHECKPOINT = "epoch.{:03d}.pt"
"""What RETURNN calls the checkpoint of a sub-epoch."""

ADAMW = {"class": "adamw", "epsilon": 1e-16, "weight_decay": 0.01, "fused": True}


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained. There are as many sub-epochs as learning rates.

    :param learning_rates: one per sub-epoch
    :param partition_epoch: sub-epochs in one pass over the data
    :param batch_seconds: seconds of audio in a batch, padding included
    :param accumulate: batches in one update; those that are left at the end of a sub-epoch are not used
    :param optimizer: RETURNN's ``optimizer`` option
    :param gradient_clip: largest norm of all gradients together, None for no clipping
    :param autocast: None (fp32) or e.g. ``"bfloat16"``: products in bfloat16 with sums and weights in fp32. Processors
        without such products compute in fp32, so results are alike on machines of one type
    :param bin_size: utterances in a bin of the laplace ordering, which sorts by duration inside bins
    :param keep_epochs: sub-epochs whose checkpoints are kept beside the last one
    :param seed: of initialisation, dropout and order of the data
    """

    learning_rates: tuple[float, ...]
    partition_epoch: int
    batch_seconds: float
    accumulate: int = 1
    optimizer: dict[str, Any] = field(default_factory=ADAMW.copy)
    gradient_clip: float | None = None
    autocast: str | None = None
    bin_size: int = 1000
    keep_epochs: tuple[int, ...] = ()
    seed: int = 42

    def __post_init__(self):
        make_plain(self)

    @property
    def num_epochs(self) -> int:
        return len(self.learning_rates)

    def checkpoint_name(self, epoch: int) -> str:
        """Of a sub-epoch that is kept.

        :raises ValueError: it is not kept, so whoever reads it would find out after the training
        """
        if epoch not in self.kept:
            raise ValueError(
                f"sub-epoch {epoch} of {self.num_epochs} is not kept, only {self.kept}: name it in keep_epochs"
            )
        return CHECKPOINT.format(epoch)

    @property
    def kept(self) -> list[int]:
        """The sub-epochs whose checkpoints are there after the training."""
        return sorted({epoch for epoch in (*self.keep_epochs, self.num_epochs) if epoch <= self.num_epochs})

    def shortened(self, share: float) -> TrainingConfig:
        """The same schedule in fewer sub-epochs. Only the last checkpoint is kept.

        :param share: of the sub-epochs, from above 0 to 1; 1 changes nothing
        """
        if share == 1:
            return self
        number = max(1, round(share * self.num_epochs))
        rates = tuple(self.learning_rates[(epoch + 1) * self.num_epochs // number - 1] for epoch in range(number))
        return replace(self, learning_rates=rates, keep_epochs=())
