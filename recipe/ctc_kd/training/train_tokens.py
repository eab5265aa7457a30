"""Whisper models that learn token by token, by RETURNN: students of a larger one (K2D section 3.3), or first models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, write_json
from ctc_kd.nn.config import SpecAugmentConfig
from ctc_kd.training.returnn_config import as_literal
from ctc_kd.training.training_config import TrainingConfig


@dataclass(frozen=True)
class WhisperStudent:
    """
    :param teacher: folder or hub name of a Whisper model of transformers, the one that wrote the pseudo labels
    :param decoder_layers: of the student
    :param masks: of SpecAugment, over what student and teacher hear in training; distil-large-v3.5 was trained with it
    """

    teacher: tk.Path | str
    decoder_layers: int = 2
    masks: SpecAugmentConfig | None = None

    def literal(self) -> dict[str, Any]:
        return as_literal(vars(self) | {"masks": self.masks and asdict(self.masks)})


@dataclass(frozen=True)
class FirstWhisper:
    """A model that nobody teaches.

    :param model: folder of transformers, such as an untrained one of ``NewWhisperJob``
    :param encoder: checkpoint of a ``SpeechEncoderCtc`` of the same size, whose encoder it has, as it is; None trains
        the encoder, too
    :param masked: share of the tokens that the decoder cannot read in training, so that it must listen
    """

    model: tk.Path | str
    encoder: tk.Path | None = None
    masked: float = 0.0

    def literal(self) -> dict[str, Any]:
        return as_literal({"model": self.model, "encoder": self.encoder, "masked": self.masked})


class TrainWhisperJob(Job):
    """Trains a student's decoder on tokens, and on what its teacher says at each of them; or all of a first model.

    :param student: a :class:`FirstWhisper` has no teacher, so its loss can have no divergence
    :param loss: arguments of :class:`ctc_kd.nn.token_losses.TokenLoss`
    :param audio, dev_audio: archives by ``OggZipJob``
    :param tokens, dev_tokens: stores by ``TokensJob``, of the same utterances
    :raises ValueError: a first model has a loss with a divergence

    ``out_student``: an ordinary folder of transformers, with the teacher's tokenizer and processor.
    """

    def __init__(
        self,
        *,
        student: WhisperStudent | FirstWhisper,
        loss: dict[str, float],
        training: TrainingConfig,
        audio: list[tk.Path],
        dev_audio: tk.Path,
        tokens: tk.Path,
        dev_tokens: tk.Path,
    ):
        if isinstance(student, FirstWhisper) and loss.get("kl_scale") != 0:
            raise ValueError(f"the loss {loss} has a divergence from a teacher: a first model has none, set kl_scale 0")
        self.student = student
        self.loss = loss
        self.training = training
        self.audio = audio
        self.dev_audio = dev_audio
        self.tokens = tokens
        self.dev_tokens = dev_tokens
        self.out_models = self.output_path("models", directory=True)
        self.out_student = self.output_path("student", directory=True)
        self.out_curves = self.output_path("curves.json")
        self.out_config = self.output_path("returnn.config")
        self.rqmt = {"gpu": 1, "cpu": 4, "mem": 24, "time": 168}

    def checkpoint(self, epoch: int) -> tk.Path:
        """That of a kept sub-epoch."""
        return self.out_models.join_right(self.training.checkpoint_name(epoch))

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)
        yield Task("save", resume="save", rqmt={**self.rqmt, "gpu": 0, "time": 1})

    def run(self):
        from ctc_kd.training.curves import read_learning_curves
        from ctc_kd.training.returnn_config import write_config
        from ctc_kd.training.run_returnn import run_returnn
        from ctc_kd.training.several_gpus import num_processes

        processes = num_processes(self.rqmt)
        path = self.out_config.get_path()
        settings = self.settings(processes)
        write_config(path, settings=settings, steps=["get_model", "train_step"], module="ctc_kd.training.token_steps")
        run_returnn(path, threads=self.rqmt["cpu"], processes=processes)
        write_json(self.out_curves.get_path(), read_learning_curves("learning_rates"))

    def settings(self, processes: int) -> dict[str, Any]:
        """Names and literal values of the config."""
        from ctc_kd.store import read_labels, read_metadata
        from ctc_kd.training.train_config import Inputs, training_settings

        tokens, dev_tokens = self.tokens.get_path(), self.dev_tokens.get_path()
        settings = training_settings(
            self.training,
            num_classes=len(read_labels(tokens)),
            models=self.out_models.get_path(),
            train=Inputs([path.get_path() for path in self.audio], tokens, None),
            dev=Inputs([self.dev_audio.get_path()], dev_tokens, None),
            keep_best=0,
            rqmt=self.rqmt,
            processes=processes,
        )
        settings["model_config"] = self.student.literal()
        settings["loss_config"] = self.loss
        settings["num_prompt_tokens"] = read_metadata(tokens)["prompt"]
        return settings

    def save(self):
        last = self.checkpoint(self.training.num_epochs)
        save_whisper(self.student, last.get_path(), self.out_student.get_path())


class SaveWhisperJob(Job):
    """An earlier checkpoint of a ``TrainWhisperJob`` as a folder of transformers.

    :param student: of that training
    :param checkpoint: one of its ``training.keep_epochs``; None for the student before its training
    """

    def __init__(self, *, student: WhisperStudent | FirstWhisper, checkpoint: tk.Path | None = None):
        self.student = student
        self.checkpoint = checkpoint
        self.out_model = self.output_path("model", directory=True)
        self.rqmt = {"cpu": 1, "mem": 24, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        save_whisper(self.student, self.checkpoint and self.checkpoint.get_path(), self.out_model.get_path())


def save_whisper(student: WhisperStudent | FirstWhisper, checkpoint: str | None, target: str):
    """Writes the trained model to the folder ``target``, with the tokenizer and the processor that it began with."""
    from transformers import AutoTokenizer, WhisperFeatureExtractor

    from ctc_kd.training.build import weights_of
    from ctc_kd.training.whisper_models import build_whisper

    literal = student.literal()
    trained = build_whisper(literal)
    if checkpoint is not None:
        trained.load_state_dict(weights_of(checkpoint))
    source = literal.get("teacher") or literal["model"]
    with complete_folder(target) as folder:
        trained.student.save_pretrained(folder)
        for part in (AutoTokenizer, WhisperFeatureExtractor):
            part.from_pretrained(source).save_pretrained(folder)
