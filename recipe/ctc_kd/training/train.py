"""Training of a CTC model by RETURNN: teacher fine-tuning, the CTC baseline, and distilled students."""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING, Any

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.frames import FRAME_SHIFT_S
from ctc_kd.training.build import check_criterion, check_model
from ctc_kd.training.training_config import TrainingConfig

if TYPE_CHECKING:
    from ctc_kd.training.train_config import Inputs


class TrainJob(Job):
    """Trains a model with CTC, with KD on stored teacher logits, or with both.

    Label-free training is a property of this job's inputs: without ``labels`` and ``dev_labels``, nothing that it reads
    depends on transcripts. On several GPUs (``rqmt``) the updates equal those on one, see ``several_gpus``.

    The attribute ``keep_best`` is the number of best checkpoints, by dev loss, to keep beside those of
    ``training.keep_epochs``. It is not part of the job's identity.

    :param model: class and config of a model of ``ctc_kd.nn``, see ``build.build_model``
    :param criterion: the loss, see ``build.build_criterion``
    :param audio: archives by ``OggZipJob``; they may hold several speeds, or audio without transcripts
    :param dev_audio: archive of the set whose loss is computed after every sub-epoch
    :param labels, dev_labels: label sequences by ``LabelSequencesJob``, needed where CTC has a weight
    :param teacher_logits: store by ``DumpLogitsJob`` over both sets, needed where KD has a weight
    :raises ValueError: the model or the criterion cannot be built, or the criterion lacks an input
    """

    def __init__(
        self,
        *,
        model: dict[str, Any],
        criterion: dict[str, Any],
        training: TrainingConfig,
        audio: list[tk.Path],
        dev_audio: tk.Path,
        labels: tk.Path | None = None,
        dev_labels: tk.Path | None = None,
        teacher_logits: tk.Path | None = None,
    ):
        check_model(model)
        check_criterion(criterion, labels=labels, teacher_logits=teacher_logits)
        self.model = model
        self.criterion = criterion
        self.training = training
        self.audio = audio
        self.dev_audio = dev_audio
        self.labels = labels
        self.dev_labels = dev_labels
        self.teacher_logits = teacher_logits
        self.keep_best = 0

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
        from ctc_kd.training.returnn_config import MODEL_SIZE_FILE, write_config
        from ctc_kd.training.run_returnn import run_returnn
        from ctc_kd.training.several_gpus import num_processes
        from ctc_kd.training.train_config import training_settings

        self._check_stores()
        self._name_too_short()
        processes = num_processes(self.rqmt)
        settings = training_settings(
            self.model,
            self.criterion,
            self.training,
            models=self.out_models.get_path(),
            train=self._inputs(self.audio, self.labels),
            dev=self._inputs([self.dev_audio], self.dev_labels),
            keep_best=self.keep_best,
            rqmt=self.rqmt,
            processes=processes,
        )
        write_config(self.out_config.get_path(), settings=settings, steps=["get_model", "train_step"])
        run_returnn(self.out_config.get_path(), threads=self.rqmt["cpu"], processes=processes)
        with open(MODEL_SIZE_FILE) as file:
            self.out_num_parameters.set(int(file.read()))
        write_json(self.out_curves.get_path(), read_learning_curves("learning_rates"))

    def _inputs(self, audio: list[tk.Path], labels: tk.Path | None) -> Inputs:
        from ctc_kd.training.train_config import Inputs

        return Inputs(
            audio=[path.get_path() for path in audio],
            labels=labels and labels.get_path(),
            teacher_logits=self.teacher_logits and self.teacher_logits.get_path(),
        )

    def _check_stores(self):
        """Checks that labels and teacher logits have the model's inventory: training itself sees only indices."""
        from ctc_kd.lexicon.inventory import labels_with_blank
        from ctc_kd.store import read_labels, read_metadata

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
                f"teacher_logits {self.teacher_logits}: the frame shift is {frame_shift_s} s, but the student's is "
                f"{FRAME_SHIFT_S} s. Dump the logits of a teacher with the student's frame rate."
            )

    def _name_too_short(self):
        """Prints the utterances whose CTC loss would be infinite and therefore counts as 0."""
        from ctc_kd.training.datasets import too_short_for_ctc

        for labels, audio in ((self.labels, self.audio), (self.dev_labels, [self.dev_audio])):
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
    """The text of an error, which shows the first label that differs."""
    pairs = enumerate(itertools.zip_longest(found, expected))
    index, (label, wanted) = next((index, pair) for index, pair in pairs if pair[0] != pair[1])
    return (
        f"{store}: label {index} of {len(found)} is {label}, but the model's is {wanted}, of {len(expected)}. Teacher, "
        "student and label sequences need the same inventory: the same num_labels_with_blank, and if it is 80, "
        "LabelSequencesJob(..., unknown_label=True)."
    )
