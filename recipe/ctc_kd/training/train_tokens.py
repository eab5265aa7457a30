"""Distillation of a Whisper model into a smaller one on pseudo labels, by RETURNN (K2D section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, write_json
from ctc_kd.training.returnn_config import as_literal
from ctc_kd.training.training_config import TrainingConfig


@dataclass(frozen=True)
class WhisperStudent:
    """
    :param teacher: folder or hub name of a Whisper model of transformers, the one that wrote the pseudo labels
    :param decoder_layers: of the student
    """

    teacher: tk.Path | str
    decoder_layers: int = 2

    def literal(self) -> dict[str, Any]:
        return as_literal({"teacher": self.teacher, "decoder_layers": self.decoder_layers})


class TrainWhisperJob(Job):
    """Trains the student's decoder on tokens, and on what its teacher says at each of them.

    :param loss: arguments of :class:`ctc_kd.nn.token_losses.TokenLoss`
    :param audio, dev_audio: archives by ``OggZipJob``
    :param tokens, dev_tokens: stores by ``TokensJob``, of the same utterances

    ``out_student``: an ordinary folder of transformers, with the teacher's tokenizer and processor.
    """

    def __init__(
        self,
        *,
        student: WhisperStudent,
        loss: dict[str, float],
        training: TrainingConfig,
        audio: list[tk.Path],
        dev_audio: tk.Path,
        tokens: tk.Path,
        dev_tokens: tk.Path,
    ):
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

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)
        yield Task("save", resume="save", rqmt={"cpu": 1, "gpu": 0, "mem": 8, "time": 1})

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
            {"num_labels_with_blank": len(read_labels(tokens))},
            {},
            self.training,
            models=self.out_models.get_path(),
            train=Inputs([path.get_path() for path in self.audio], tokens, None),
            dev=Inputs([self.dev_audio.get_path()], dev_tokens, None),
            blank=0,
            keep_best=0,
            rqmt=self.rqmt,
            processes=processes,
        )
        for unused in ("blank", "criterion_config"):
            del settings[unused]
        settings["model_config"] = self.student.literal()
        settings["loss_config"] = self.loss
        settings["num_prompt_tokens"] = read_metadata(tokens)["prompt"]
        return settings

    def save(self):
        import torch
        from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

        from ctc_kd.nn.whisper_student import student_of

        literal = self.student.literal()
        teacher = WhisperForConditionalGeneration.from_pretrained(literal["teacher"], dtype=torch.float32)
        student = student_of(teacher, decoder_layers=self.student.decoder_layers)
        checkpoint = f"{self.out_models.get_path()}/epoch.{self.training.num_epochs:03d}.pt"
        weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]
        own = {name.removeprefix("student."): value for name, value in weights.items() if name.startswith("student.")}
        student.load_state_dict(own)
        with complete_folder(self.out_student.get_path()) as folder:
            student.save_pretrained(folder)
            for part in (AutoTokenizer, WhisperFeatureExtractor):
                part.from_pretrained(literal["teacher"]).save_pretrained(folder)
