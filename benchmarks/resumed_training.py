"""Kills a training (-9) behind its first sub-epoch, starts it again, and compares it with an undisturbed one.

    python benchmarks/resumed_training.py [--device cuda] [--batch-seconds 1200] [--cpus 16] [--hours 2]

The training is that of training_speed.py: the paper's student through RETURNN, in bf16 on a GPU. On a CPU the weights
have to be equal bit by bit. A GPU adds in another order each time, so there the last loss on dev has to agree to 1 %.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import torch
from training_speed import training_job, write_corpus

from ctc_kd.machine import cores

NUM_EPOCHS = 3
LARGEST_DIFFERENCE = 0.01
PATIENCE_S = 600


def start(folder: Path, options: argparse.Namespace) -> subprocess.Popen:
    """A process that begins the training in ``folder``, or goes on with it."""
    command = [sys.executable, os.path.abspath(__file__), "--train", str(folder)]
    for name in ("device", "batch_seconds", "cpus"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    log = open(folder / "log", "a")  # noqa: SIM115  the process has it
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def train(folder: Path, options: argparse.Namespace):
    from sisyphus import tk

    job = training_job(str(folder.parent), options.device, options.batch_seconds, options.cpus, NUM_EPOCHS)
    tk.run([job.out_curves], quiet=True)


def finish(process: subprocess.Popen, folder: Path):
    if process.wait():
        sys.exit(f"the training ended with status {process.returncode}:\n{(folder / 'log').read_text()[-3000:]}")


def kill_behind_first_epoch(process: subprocess.Popen, folder: Path):
    """Kills all processes of the training once its first checkpoint is complete."""
    deadline = time.monotonic() + PATIENCE_S
    while not models(folder, "epoch.001.opt.pt"):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the training ended too early or is too slow:\n{(folder / 'log').read_text()[-3000:]}")
        time.sleep(0.05)
    for victim in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    process.wait()
    if models(folder, f"epoch.{NUM_EPOCHS:03d}.pt"):
        sys.exit("the training was at its end before it could be killed: take more --hours")


def models(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"work/ctc_kd/training/train/TrainJob.*/output/models/{name}"))


def result(folder: Path) -> tuple[dict[str, torch.Tensor], float]:
    """The weights of the last checkpoint, and the last loss on dev."""
    (checkpoint,) = models(folder, f"epoch.{NUM_EPOCHS:03d}.pt")
    scores = json.loads((checkpoint.parents[1] / "curves.json").read_text())[-1]["scores"]
    (loss,) = (value for name, value in scores.items() if name.startswith("dev_loss"))
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["model"], loss


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-seconds", type=float, default=40.0)
    parser.add_argument("--cpus", type=int, default=cores())
    parser.add_argument("--hours", type=float, default=0.02, help="hours of audio in a sub-epoch")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)  # what the processes do that this one starts
    options = parser.parse_args()
    if options.train:
        train(options.train, options)
        return
    with tempfile.TemporaryDirectory() as name:
        write_corpus(name, "train", options.hours)
        write_corpus(name, "dev", 0.005)
        folders = [Path(name, kind) for kind in ("undisturbed", "killed")]
        seconds = []
        for folder in folders:
            folder.mkdir()
            begin = time.monotonic()
            process = start(folder, options)
            if folder.name == "killed":
                kill_behind_first_epoch(process, folder)
                process = start(folder, options)
            finish(process, folder)
            seconds.append(time.monotonic() - begin)
        (weights, loss), (resumed_weights, resumed_loss) = map(result, folders)
    difference = max((weights[key].float() - resumed_weights[key].float()).abs().max().item() for key in weights)
    print(
        f"{options.device}, {NUM_EPOCHS} sub-epochs of {3600 * options.hours:.0f} s: undisturbed {seconds[0]:.0f} s, "
        f"killed and resumed {seconds[1]:.0f} s; loss on dev {loss:.5f} and {resumed_loss:.5f}, "
        f"largest difference of a weight {difference:.1e}"
    )
    limit = 0.0 if options.device == "cpu" else LARGEST_DIFFERENCE * abs(loss)
    if abs(loss - resumed_loss) > limit or (options.device == "cpu" and difference):
        sys.exit("the resumed training has another result")


if __name__ == "__main__":
    main()
