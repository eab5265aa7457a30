"""Training of a CTC model by RETURNN: teacher fine-tuning, the CTC baseline, and distilled students."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.nn.config import StudentConfig
from ctc_kd.training.build import check_model, is_finished
from ctc_kd.training.criteria import check_criterion
from ctc_kd.training.training_config import TrainingConfig

if TYPE_CHECKING:
    from ctc_kd.training.train_config import Inputs


class TrainJob(Job):
    """Trains a model with CTC, with KD on stored teacher logits, or with both.

    Label-free training is a property of this job's inputs: without ``labels`` and ``dev_labels``, nothing that it reads
    depends on transcripts. On several GPUs (``rqmt``) the updates equal those on one, see ``several_gpus``. Files are
    checked before RETURNN starts, see ``check_inputs``, but not again after a kill.

    The attribute ``keep_best`` is the number of best checkpoints, by dev loss, to keep beside those of
    ``training.keep_epochs``. It is not part of the job's identity.

    :param model: class and config of a model of ``ctc_kd.nn``, see ``build.build_model``
    :param criterion: the loss, see ``criteria.build_criterion``
    :param audio: archives by ``OggZipJob``; they may hold several speeds, or audio without transcripts
    :param dev_audio: archive of the set whose loss is computed after every sub-epoch
    :param labels, dev_labels: label sequences by ``LabelSequencesJob``, needed where CTC has a weight
    :param teacher_logits: store by ``DumpLogitsJob`` over both sets, needed where KD has a weight
    :param hypotheses: N-best lists by ``NBestJob`` over both sets, needed by sequence-level KD
    :param inventory: what the outputs of the model stand for; None for the phonemes
    :raises ValueError: the model or the criterion cannot be built, or the criterion lacks an input
    """

    __sis_hash_exclude__ = {"inventory": None, "hypotheses": None}

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
        inventory: tk.Path | None = None,
        hypotheses: tk.Path | None = None,
    ):
        check_model(model, has_inventory=inventory is not None)
        if is_finished(model):
            raise ValueError(f"a {model['class']} brings its weights and is not trained here")
        inputs = {"labels": labels, "teacher_logits": teacher_logits, "hypotheses": hypotheses}
        check_criterion(criterion, model=model, **inputs)
        if (labels is None) != (dev_labels is None):
            raise ValueError("labels of only one of train and dev: expected both or none")
        self.model = model
        self.criterion = criterion
        self.training = training
        self.audio = audio
        self.dev_audio = dev_audio
        self.labels = labels
        self.dev_labels = dev_labels
        self.teacher_logits = teacher_logits
        self.inventory = inventory
        self.hypotheses = hypotheses
        self.keep_best = 0

        self.out_models = self.output_path("models", directory=True)
        self.out_num_parameters = self.output_var("num_parameters")
        self.out_curves = self.output_path("curves.json")
        self.out_config = self.output_path("returnn.config")

        self.rqmt = {"gpu": 1, "cpu": 4, "mem": 24, "time": 168}

    def checkpoint(self, epoch: int | None = None) -> tk.Path:
        """The checkpoint of a kept sub-epoch, by default of the last one."""
        return self.out_models.join_right(self.training.checkpoint_name(epoch or self.training.num_epochs))

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.training.check_inputs import check_once
        from ctc_kd.training.curves import read_learning_curves
        from ctc_kd.training.outputs import inventory_and_model
        from ctc_kd.training.returnn_config import MODEL_SIZE_FILE, as_literal, write_config
        from ctc_kd.training.run_returnn import run_returnn
        from ctc_kd.training.several_gpus import num_processes
        from ctc_kd.training.train_config import training_settings

        train, dev = self._inputs(self.audio, self.labels), self._inputs([self.dev_audio], self.dev_labels)
        inventory, model = inventory_and_model(self.inventory, self.model)
        processes, config = num_processes(self.rqmt), check_model(model)
        check_once(
            train,
            dev,
            inventory=inventory,
            partition_epoch=self.training.partition_epoch,
            processes=processes,
            subsampling=config.subsampling,
            is_student=isinstance(config, StudentConfig),
        )
        settings = training_settings(
            self.training,
            num_classes=model["num_labels_with_blank"],
            models=self.out_models.get_path(),
            train=train,
            dev=dev,
            keep_best=self.keep_best,
            rqmt=self.rqmt,
            processes=processes,
        )
        settings |= {"model_config": as_literal(model), "criterion_config": as_literal(self.criterion)}
        settings["blank"] = inventory.blank
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
            hypotheses=self.hypotheses and self.hypotheses.get_path(),
        )

    def _last_epoch(self) -> int:
        names = os.listdir(self.out_models.get_path())
        return max((int(match[1]) for name in names if (match := re.fullmatch(r"epoch\.(\d+)\.pt", name))), default=0)

    def completed_fraction(self) -> float:
        return self._last_epoch() / self.training.num_epochs

    def info(self) -> str:
        return f"epoch {self._last_epoch()}/{self.training.num_epochs}"
