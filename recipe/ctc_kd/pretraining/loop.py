"""The training loop of :class:`~ctc_kd.pretraining.encoder.PretrainEncoderJob`."""

from __future__ import annotations

import glob
import os
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoConfig, AutoModel

from ctc_kd.files import complete_file
from ctc_kd.nn.features import prepare_waveform
from ctc_kd.nn.narrow_convolutions import keep_in_fp32
from ctc_kd.nn.teacher import save_encoder
from ctc_kd.pretraining.speech import UNIT_SAMPLES, WINDOW_SAMPLES


@dataclass(frozen=True)
class Settings:
    """See :class:`~ctc_kd.pretraining.encoder.PretrainEncoderJob`; ``folder`` is for checkpoints."""

    speech: str
    encoder: dict
    passes: int
    learning_rate: float
    workers: int
    batch_windows: int
    seed: int
    folder: str

    @property
    def checkpoint(self) -> str:
        return os.path.join(self.folder, "checkpoint.pt")


class UnitPredictor(nn.Module):
    """An encoder with one output per unit and frame."""

    def __init__(self, encoder: dict, num_units: int):
        super().__init__()
        # On CPUs the plain attention is faster than the fused one for sequences as short as this.
        config = AutoConfig.for_model(**encoder, attn_implementation="eager")
        self.encoder = AutoModel.from_config(config)
        keep_in_fp32(self.encoder)
        self.output = nn.Linear(config.hidden_size, num_units)

    def forward(self, audio: Tensor) -> Tensor:
        """``[B, T]`` samples to ``[B, frames, units]`` logits."""
        lengths = torch.full((len(audio),), audio.shape[1])
        waveform = prepare_waveform(audio, lengths)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.encoder(waveform).last_hidden_state
        return self.output(hidden.float())


class Speech:
    """The windows of all shards, with the unit of each of the encoder's frames as an index into ``names``.

    :raises ValueError: a shard is damaged, or there are fewer than two (one is held out)
    """

    def __init__(self, folder: str, encoder: dict):
        shards = sorted(glob.glob(os.path.join(folder, "shard-???")))
        if len(shards) < 2:
            raise ValueError(f"{folder}: expected at least two shards of speech, found {len(shards)}")
        self.audio = [np.load(os.path.join(shard, "audio.npy"), mmap_mode="r") for shard in shards]
        vocabularies = []
        for shard in shards:
            with open(os.path.join(shard, "units.txt"), encoding="utf-8") as file:
                vocabularies.append(file.read().split())
        self.names = sorted(set().union(*vocabularies))
        columns = frame_centres(encoder) // UNIT_SAMPLES
        self.units = []
        for shard, audio, vocabulary in zip(shards, self.audio, vocabularies, strict=True):
            units = np.load(os.path.join(shard, "units.npy"))
            if audio.shape != (len(units), WINDOW_SAMPLES) or units.max(initial=0) >= len(vocabulary):
                raise ValueError(f"{shard}: audio, units and unit names do not match; run its job again")
            self.units.append(np.array([self.names.index(name) for name in vocabulary])[units[:, columns]])
        first = np.cumsum([0, *(len(units) for units in self.units)])
        windows = [(shard, row) for shard, units in enumerate(self.units) for row in range(len(units))]
        self.training, self.held_out = windows[: first[-2]], windows[first[-2] :]

    def batch(self, windows: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """``[B, T]`` float audio and ``[B, frames]`` units."""
        audio = np.stack([self.audio[shard][row] for shard, row in windows]).astype(np.float32) / 32768
        return torch.from_numpy(audio), torch.from_numpy(np.stack([self.units[shard][row] for shard, row in windows]))


def frame_centres(encoder: dict) -> np.ndarray:
    """The sample in the middle of each frame's receptive field in a window."""
    field, step, frames = 1, 1, WINDOW_SAMPLES
    for kernel, stride in zip(encoder["conv_kernel"], encoder["conv_stride"], strict=True):
        field += (kernel - 1) * step
        step *= stride
        frames = (frames - kernel) // stride + 1
    return field // 2 + step * np.arange(frames)


def learning_rate(step: int, num_steps: int, peak: float) -> float:
    """Rises linearly over the first tenth of the steps, then falls linearly to zero."""
    warm_up = max(num_steps // 10, 1)
    return peak * min((step + 1) / warm_up, (num_steps - step) / max(num_steps - warm_up, 1))


def load_checkpoint(settings: Settings) -> dict | None:
    """The state after the last complete pass, if there is one."""
    return torch.load(settings.checkpoint, weights_only=True) if os.path.exists(settings.checkpoint) else None


def write_encoder(settings: Settings, state: dict, folder: str):
    """Writes the encoder of a checkpoint as a Hugging Face folder in float16."""
    model = UnitPredictor(settings.encoder, len(state["units"]))
    model.load_state_dict(state["model"])
    save_encoder(model, folder)


def train(rank: int, settings: Settings, rendezvous: str):
    """Trains in one of the processes. The first one prints scores and writes a checkpoint after every pass.

    :param rendezvous: a file that is not there, in which the processes find each other
    """
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=settings.workers)
    speech = Speech(settings.speech, settings.encoder)
    torch.manual_seed(settings.seed)
    model = UnitPredictor(settings.encoder, len(speech.names))
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    state = load_checkpoint(settings) or {"passes": 0, "curve": []}
    if state["passes"]:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    parallel = DistributedDataParallel(model)
    curve = state["curve"]
    for number in range(state["passes"], settings.passes):
        scores = run_pass(number, rank, parallel, optimizer, speech, settings)
        if rank == 0:
            curve.append({"pass": number + 1, **scores, **evaluate(model, speech, settings.batch_windows)})
            print(curve[-1], flush=True)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "units": speech.names}
            with complete_file(settings.checkpoint) as partial:
                torch.save({**state, "passes": number + 1, "curve": curve}, partial)
        distributed.barrier()
    distributed.destroy_process_group()


def run_pass(number, rank, parallel, optimizer, speech: Speech, settings: Settings) -> dict:
    """Trains for one pass over the training windows; returns mean loss and accuracy over its frames."""
    order = np.random.default_rng((settings.seed, number)).permutation(len(speech.training))
    together = settings.workers * settings.batch_windows
    steps = len(order) // together
    seed = (settings.seed * 1000 + number) * settings.workers + rank
    torch.manual_seed(seed)
    np.random.seed(seed)  # transformers draws its masks from here
    parallel.train()
    loss_sum = correct = 0.0
    start = time.monotonic()
    for step in range(steps):
        chosen = order[step * together : (step + 1) * together][rank :: settings.workers]
        audio, units = speech.batch([speech.training[index] for index in chosen])
        rate = learning_rate(number * steps + step, settings.passes * steps, settings.learning_rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        logits = parallel(audio)
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), units)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parallel.parameters(), 1.0)
        optimizer.step()
        loss_sum += loss.item()
        correct += (logits.argmax(-1) == units).float().mean().item()
        if rank == 0 and (step + 1) % 50 == 0:
            seconds = time.monotonic() - start
            done = f"pass {number + 1}/{settings.passes}, step {step + 1}/{steps}"
            scores = f"loss {loss_sum / (step + 1):.3f}, accuracy {correct / (step + 1):.3f}"
            print(f"{done}: {scores}, {seconds / (step + 1):.2f} s per step, learning rate {rate:.2e}", flush=True)
    return {"train_loss": loss_sum / steps, "train_accuracy": correct / steps}


@torch.no_grad()
def evaluate(model: UnitPredictor, speech: Speech, batch_windows: int) -> dict:
    """Loss and accuracy over the frames of the held-out windows, without masks."""
    model.eval()
    loss_sum = correct = 0.0
    for start in range(0, len(speech.held_out), batch_windows):
        windows = speech.held_out[start : start + batch_windows]
        audio, units = speech.batch(windows)
        logits = model(audio)
        loss_sum += len(windows) * nn.functional.cross_entropy(logits.transpose(1, 2), units).item()
        correct += len(windows) * (logits.argmax(-1) == units).float().mean().item()
    return {"dev_loss": loss_sum / len(speech.held_out), "dev_accuracy": correct / len(speech.held_out)}
