"""Training of a CTC model by RETURNN: teacher fine-tuning, the CTC baseline, and distilled students."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json

ADAMW = {"class": "adamw", "epsilon": 1e-16, "weight_decay": 0.01, "fused": True}


@dataclass(frozen=True)
class TrainingConfig:
    """How long, how fast and in which batches; the number of epochs is the number of learning rates.

    :param learning_rates: one per sub-epoch
    :param partition_epoch: sub-epochs in one pass over the data
    :param batch_seconds: audio in a batch, padding included
    :param accumulate: batches in one update
    :param optimizer: RETURNN's ``optimizer`` option
    :param gradient_clip: norm of all gradients together, None for no clipping
    :param autocast: None (fp32) or e.g. ``"bfloat16"``
    :param bin_size: utterances in a bin of the laplace ordering, which sorts by duration inside bins
    :param keep_epochs: checkpoints that are kept beside the last one
    :param keep_best: number of best checkpoints (by dev loss) that are kept
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
    keep_best: int = 4
    seed: int = 42

    @property
    def num_epochs(self) -> int:
        return len(self.learning_rates)


class TrainJob(Job):
    """Trains a model with CTC, with KD on stored teacher logits, or with both.

    Label-free training is a property of this job's inputs: without ``labels`` and ``dev_labels`` nothing it reads
    depends on transcripts. On several GPUs (``rqmt``) the updates are those of one, see ``several_gpus``.

    :param model: class and config of a model of ``ctc_kd.nn``, see ``steps.build_model``
    :param criterion: the loss, see ``steps.build_criterion``
    :param audio, dev_audio: archives by ``OggZipJob``
    :param more_audio: further archives of the training set, as of other speeds, or of audio without transcripts
    :param labels, dev_labels: label sequences by ``LabelSequencesJob``, needed where CTC has a weight
    :param teacher_logits: store by ``DumpLogitsJob`` over both sets, needed where KD has a weight
    """

    __sis_hash_exclude__ = {"more_audio": ()}

    def __init__(
        self,
        *,
        model: dict[str, Any],
        criterion: dict[str, Any],
        training: TrainingConfig,
        audio: tk.Path,
        dev_audio: tk.Path,
        labels: tk.Path | None = None,
        dev_labels: tk.Path | None = None,
        teacher_logits: tk.Path | None = None,
        more_audio: Sequence[tk.Path] = (),
    ):
        self.model = model
        self.criterion = criterion
        self.training = training
        self.audio = audio
        self.more_audio = more_audio
        self.dev_audio = dev_audio
        self.labels = labels
        self.dev_labels = dev_labels
        self.teacher_logits = teacher_logits

        self.out_models = self.output_path("models", directory=True)
        self.out_num_parameters = self.output_var("num_parameters")
        self.out_curves = self.output_path("curves.json")
        self.out_config = self.output_path("returnn.config")

        self.rqmt = {"gpu": 1, "cpu": 4, "mem": 24, "time": 168}

    def checkpoint(self, epoch: int | None = None) -> tk.Path:
        """The checkpoint of a kept sub-epoch, by default of the last one."""
        return self.out_models.join_right(f"epoch.{epoch or self.training.num_epochs:03d}.pt")

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.training.curves import read_learning_curves
        from ctc_kd.training.returnn_config import MODEL_SIZE_FILE
        from ctc_kd.training.run_returnn import run_returnn
        from ctc_kd.training.several_gpus import num_processes
        from ctc_kd.training.train_config import write_training_config

        self._check_stores()
        self._name_too_short()
        processes = num_processes(self.rqmt)
        write_training_config(self, processes=processes)
        run_returnn(self.out_config.get_path(), threads=self.rqmt["cpu"], processes=processes)
        with open(MODEL_SIZE_FILE) as file:
            self.out_num_parameters.set(int(file.read()))
        write_json(self.out_curves.get_path(), read_learning_curves("learning_rates"))

    def _check_stores(self):
        """Labels and teacher logits must be of the model's inventory: training itself sees indices only."""
        from ctc_kd.lexicon.inventory import labels_with_blank
        from ctc_kd.training.datasets import FRAME_SHIFT_S
        from ctc_kd.training.hdf import read_labels, read_metadata

        classes = labels_with_blank(self.model["num_labels_with_blank"])
        for name, expected in (("labels", classes[:-1]), ("dev_labels", classes[:-1]), ("teacher_logits", classes)):
            store = getattr(self, name)
            if store is not None and (found := read_labels(store.get_path())) != expected:
                raise ValueError(describe_difference(f"{name} {store}", found, expected))
        if self.teacher_logits is None:
            return
        frame_shift_s = read_metadata(self.teacher_logits.get_path()).get("frame_shift_s")
        if frame_shift_s != FRAME_SHIFT_S:
            raise ValueError(
                f"teacher_logits {self.teacher_logits}: a frame is {frame_shift_s} s, but the student's are "
                f"{FRAME_SHIFT_S} s. Dump the logits of a teacher with the student's frame rate."
            )

    def _name_too_short(self):
        """Print the utterances whose CTC loss is infinite, and so left out of the sum."""
        from ctc_kd.training.datasets import too_short_for_ctc

        for labels, audio in ((self.labels, [self.audio, *self.more_audio]), (self.dev_labels, [self.dev_audio])):
            if labels is None:
                continue
            short = too_short_for_ctc(labels.get_path(), [path.get_path() for path in audio])
            if short:
                shown = [f"{name} ({found} of {needed})" for name, (found, needed) in list(short.items())[:10]]
                print(
                    f"note: {len(short)} utterances of {labels} have fewer frames than CTC needs for their labels; "
                    f"their CTC loss counts as 0: {', '.join(shown)}{', ...' if len(short) > 10 else ''}",
                    flush=True,
                )

    def _last_epoch(self) -> int:
        names = os.listdir(self.out_models.get_path())
        return max((int(match[1]) for name in names if (match := re.fullmatch(r"epoch\.(\d+)\.pt", name))), default=0)

    def completed_fraction(self) -> float:
        return self._last_epoch() / self.training.num_epochs

    def info(self) -> str:
        return f"epoch {self._last_epoch()}/{self.training.num_epochs}"


def describe_difference(store: str, found: list[str], expected: list[str]) -> str:
    """An error's text that shows the first of the labels that differ."""
    pairs = enumerate(itertools.zip_longest(found, expected))
    index, (label, wanted) = next((index, pair) for index, pair in pairs if pair[0] != pair[1])
    return (
        f"{store}: label {index} of {len(found)} is {label}, but the model's is {wanted}, of {len(expected)}. Teacher, "
        "student and label sequences need one inventory: the same num_labels_with_blank, and where it is 80, "
        "LabelSequencesJob(..., unknown_label=True)."
    )
