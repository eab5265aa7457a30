"""What RETURNN calls: the model, one training step, one forward step, and what happens to the logits.

The config files that the jobs write import this module; everything variable is a literal of the config.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import returnn.frontend as rf
import torch
from returnn.config import get_global_config
from returnn.forward_iface import ForwardCallbackIface
from returnn.tensor import Dim, Tensor, TensorDict

from ctc_kd.nn.alone import batch_dependence, each_alone
from ctc_kd.store import HdfWriter
from ctc_kd.training.build import build_model
from ctc_kd.training.criteria import build_criterion, needs_of
from ctc_kd.training.step_parts import counts_of_processes, in_few_shapes, mark_losses, padded, write_model_size

MOST_ROUNDING = 1e-3
"""Changes up to this share of the logits' standard deviation are taken for rounding, such as that of TF32 on GPUs."""


def get_model(**_kwargs) -> torch.nn.Module:
    model = build_model(get_global_config().typed_value("model_config"))
    write_model_size(model)
    return model


def train_step(*, model: torch.nn.Module, extern_data: TensorDict, **_kwargs):
    """Computes the losses of ``criterion_config``; data has at least the keys that it needs beside the audio."""
    config = get_global_config()
    literal = config.typed_value("criterion_config")
    needs = needs_of(literal)
    criterion = build_criterion(literal, epoch=rf.get_run_ctx().epoch, num_epochs=config.typed_value("num_epochs"))
    audio, samples = _audio(extern_data)
    outputs, lengths = criterion.outputs(model, in_few_shapes(audio), samples)
    inputs = counts_of_processes()
    if needs.teacher_logits:
        inputs["teacher_logits"], inputs["teacher_lengths"] = padded(extern_data["teacher"])
    if needs.labels:
        inputs["targets"], inputs["target_lengths"] = padded(extern_data["labels"])
    if needs.hypotheses:
        inputs["hypotheses"], inputs["hypothesis_lengths"] = padded(extern_data["hypotheses"])
        inputs["hypothesis_weights"] = extern_data["hypothesis_weights"].raw_tensor.squeeze(-1)
    losses = criterion(outputs, lengths, blank=config.typed_value("blank"), **inputs)
    mark_losses(losses, criterion.scales)


def forward_step(*, model: torch.nn.Module, extern_data: TensorDict, **_kwargs):
    """Marks the logits ``[B, T, C]`` as output; they never depend on the other utterances of the batch."""
    forward = partial(each_alone, model) if _depends_on_batch(model) else model
    logits, lengths = forward(*_audio(extern_data))
    batch = extern_data["audio"].dims[0]
    frames = Dim(Tensor("frames", dims=[batch], dtype="int32", raw_tensor=lengths.to("cpu", torch.int32)))
    classes = Dim(logits.shape[-1], name="classes")
    rf.get_run_ctx().mark_as_output(logits, "logits", dims=[batch, frames, classes])


def _audio(extern_data: TensorDict) -> tuple[torch.Tensor, torch.Tensor]:
    """:return: samples ``[B, N]`` and lengths ``[B]``"""
    audio, lengths = padded(extern_data["audio"])
    return audio.squeeze(-1), lengths


@cache
def _depends_on_batch(model: torch.nn.Module) -> bool:
    change = batch_dependence(model)
    depends = change > MOST_ROUNDING
    if depends:
        literal = get_global_config().typed_value("model_config")
        name = literal.get("encoder") or literal.get("model") or literal["class"]
        print(
            f"note: the logits of {name} depend on the batch (they change by "
            f"{change:.2g} of their standard deviation), so each utterance is computed alone, which takes longer",
            flush=True,
        )
    return depends


class LogitCallback(ForwardCallbackIface):
    """Base of the callbacks: reads their options from the config, and gives ``store`` the logits ``[T, C]``."""

    def __init__(self):
        self.options = get_global_config().typed_value("callback_options")
        self.total = self.options["num_utterances"]
        self.count = 0

    def process_seq(self, *, seq_tag: str, outputs: TensorDict):
        self.store(str(seq_tag), outputs["logits"].raw_tensor.astype(np.float32))
        self.count += 1
        if self.count % 100 == 0 or self.count == self.total:
            print(f"forwarded {self.count} of {self.total} utterances", flush=True)

    def store(self, utterance: str, logits: np.ndarray):
        raise NotImplementedError


def _check_finite(utterance: str, logits: np.ndarray):
    if not np.isfinite(logits).all():
        raise ValueError(
            f"utterance {utterance} has logits that are NaN or infinite in {logits.dtype}: expected finite ones. Its "
            "model has diverged: take another checkpoint, or train again with a lower learning rate"
        )


class DumpLogits(LogitCallback):
    """Writes fp16 logits to shards, with the place of their frames in time.

    A shard appears when it is complete, so a killed dump resumes at the next one.
    """

    def init(self, *, model):
        self.shard = self.options["first_shard"]
        facts = {"frame_shift_s": model.frame_shift_s, "first_centre_s": model.first_centre_s}
        if hasattr(model, "identity"):  # a finished model, which no job has made
            facts["teacher_job"] = model.identity
        self.metadata = {**self.options["metadata"], **facts}
        self._open()

    def _open(self):
        self.writer = HdfWriter(
            f"{self.options['folder']}/shard.{self.shard:05d}.hdf",
            labels=self.options["labels"],
            metadata=self.metadata,
        )

    def store(self, utterance: str, logits: np.ndarray):
        with np.errstate(over="ignore"):
            half = logits.astype(np.float16)
        _check_finite(utterance, half)
        self.writer.add(utterance, half)
        if len(self.writer) == self.options["shard_size"]:
            self.finish()
            self.shard += 1
            self._open()

    def finish(self):
        if len(self.writer):
            self.writer.close()


class WritePosteriors(LogitCallback):
    """Writes the log posteriors of each recognition set to a file, and the log prior from the prior's utterances."""

    def init(self, *, model):
        labels = self.options["labels"]
        metadata = {**self.options["metadata"], "frame_shift_s": model.frame_shift_s}
        self.writers = {path: HdfWriter(path, labels=labels, metadata=metadata) for path in self.options["outputs"]}
        self.sets = {path: set(utterances) for path, utterances in self.options["outputs"].items()}
        self.prior_utterances = set(self.options["prior_utterances"])
        self.sum, self.frames = np.zeros(len(labels)), 0

    def store(self, utterance: str, logits: np.ndarray):
        _check_finite(utterance, logits)
        log_posteriors = torch.log_softmax(torch.from_numpy(logits), dim=-1).numpy()
        for path, utterances in self.sets.items():
            if utterance in utterances:
                self.writers[path].add(utterance, log_posteriors.astype(np.float16))
        if utterance in self.prior_utterances:
            self.sum += np.exp(log_posteriors, dtype=np.float64).sum(axis=0)
            self.frames += len(log_posteriors)

    def finish(self):
        for writer in self.writers.values():
            writer.close()
        np.savetxt(self.options["prior"], np.log(np.maximum(self.sum / self.frames, 1e-30)))
