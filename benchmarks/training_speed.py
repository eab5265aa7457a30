"""Measures how many hours of audio the paper's student trains on per hour, in one step and in a whole training job.

    python benchmarks/training_speed.py [--device cuda] [--batch-seconds 1200] [--cpus 16] [--hours 20]

The student learns with symmetric selection at lambda = 1, in bf16 where the device has it. First comes the step alone
(features, SpecAugment, student, selection, loss, optimizer) on a batch in device memory, then sub-epochs of a real
training job: FLAC and fp16 teacher logits from disk, through RETURNN. Bars: 10,000 hours per hour on one H200, 90 % of
the step's own speed, and 4 s from the start of the process to the first sub-epoch.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable

import numpy as np
import soundfile
import torch
from sisyphus import gs, tk

from ctc_kd.frames import FRAME_SHIFT_S, SAMPLE_RATE_HZ, SUBSAMPLING, num_frames
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.machine import cores, multiplies_bfloat16
from ctc_kd.nn.config import StudentConfig
from ctc_kd.nn.distillation import DistillationLoss
from ctc_kd.nn.selection import Selection
from ctc_kd.nn.student import StudentCtc
from ctc_kd.store import HdfWriter
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import ADAMW, TrainingConfig

SECONDS = (10.0, 16.0)  # of the shortest and the longest recording
SELECTION = {"rule": "symmetric", "parameters": {"n": 1}}
NUM_LABELS = len(phonemes().labels)
PARTS = ("features", "forward", "selection and loss", "backward", "optimizer")
DISTINCT = 32  # recordings; the archive repeats them under other names


def step_seconds(device: str, batch_seconds: float, repetitions: int) -> tuple[float, float, dict[str, float]]:
    """:return: seconds that a step takes, seconds of audio in its batch, and seconds of the step's parts"""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    durations = torch.empty(int(batch_seconds / SECONDS[1])).uniform_(*SECONDS, generator=generator)
    lengths = (durations * SAMPLE_RATE_HZ).long().to(device)
    audio = 0.1 * torch.randn(len(lengths), int(lengths.max()), device=device)
    student = StudentCtc(StudentConfig(NUM_LABELS)).to(device).train()
    frames = student.log_mel.output_lengths(lengths) // SUBSAMPLING
    teacher = (4 * torch.randn(len(lengths), int(frames.max()), NUM_LABELS, device=device)).half()
    criterion = DistillationLoss(kd_scale=1.0, selection=Selection(**SELECTION))
    options = {"eps": ADAMW["epsilon"], "weight_decay": ADAMW["weight_decay"], "fused": True}
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4, **options)

    def step(mark: Callable[[], None]):
        mark()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda" or multiplies_bfloat16()):
            logits, out_lengths = student(audio, lengths)
        mark()
        losses = criterion(
            logits, out_lengths, blank=NUM_LABELS - 1, teacher_logits=teacher, teacher_lengths=out_lengths
        )
        loss = criterion.weighted_sum(losses)
        mark()
        optimizer.zero_grad()
        loss.backward()
        mark()
        optimizer.step()
        mark()

    def now() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    seconds = []
    for _ in range(repetitions + 3):
        start = now()
        step(lambda: None)
        seconds.append(now() - start)
    times = []
    student.log_mel.register_forward_hook(lambda *_: times.append(now()))
    step(lambda: times.append(now()))
    parts = dict(zip(PARTS, np.diff(times), strict=True))
    return statistics.median(seconds[3:]), float(durations.sum()), parts


def write_corpus(folder: str, name: str, hours: float) -> float:
    """Writes an archive and the logits of a teacher, as the jobs do; returns the seconds of audio."""
    rng = np.random.default_rng(0)
    recordings = []
    for _ in range(DISTINCT):
        noise = rng.standard_normal(int(rng.uniform(*SECONDS) * SAMPLE_RATE_HZ))
        samples = np.cumsum(noise)  # brown noise packs like speech
        buffer = io.BytesIO()
        soundfile.write(buffer, 0.3 * samples / np.abs(samples).max(), SAMPLE_RATE_HZ, format="FLAC")
        recordings.append((buffer.getvalue(), len(samples)))
    entries, total = [], 0.0
    with (
        zipfile.ZipFile(os.path.join(folder, f"{name}.zip"), "w") as archive,
        HdfWriter(
            os.path.join(folder, f"{name}.hdf"), labels=phonemes().labels, metadata={"frame_shift_s": FRAME_SHIFT_S}
        ) as store,
    ):
        logits = rng.standard_normal((num_frames(SECONDS[1]), NUM_LABELS)).astype(np.float16)
        while total < 3600 * hours:
            utterance = f"{name}-{len(entries):06d}"
            packed, length = recordings[len(entries) % DISTINCT]
            archive.writestr(f"{name}/{utterance}.flac", packed)
            duration = length / SAMPLE_RATE_HZ
            entries.append({"text": "", "file": f"{utterance}.flac", "seq_name": utterance, "duration": duration})
            store.add(utterance, logits[: num_frames(duration)])
            total += duration
        archive.writestr(f"{name}.txt", repr(entries))
    return total


def training_job(folder: str, device: str, batch_seconds: float, cpus: int, num_epochs: int) -> TrainJob:
    """A training on the corpus in ``folder``."""
    job = TrainJob(
        model={"class": "StudentCtc", "num_labels_with_blank": NUM_LABELS},
        criterion={"kd_scale": 1.0, "selection": SELECTION},
        training=TrainingConfig(
            learning_rates=(1e-4,) * num_epochs,
            partition_epoch=1,
            batch_seconds=batch_seconds,
            autocast="bfloat16",
        ),
        audio=[tk.Path(os.path.join(folder, "train.zip"))],
        dev_audio=tk.Path(os.path.join(folder, "dev.zip")),
        teacher_logits=tk.Path(folder),
    )
    job.rqmt.update(cpu=cpus, gpu=int(device == "cuda"))
    return job


def printed_lines(job: TrainJob, folder: str) -> list[tuple[float, str]]:
    """Runs the job in ``work`` in ``folder``: seconds from the start of its process to each line, and the line."""
    gs.BASE_DIR = folder  # it was the current folder when the engine was imported
    job._sis_setup_directory()
    command = [sys.executable, "-m", "sisyphus", "worker", job._sis_path(), "run", "1"]
    start, lines = time.perf_counter(), []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            lines.append((time.perf_counter() - start, line))
    if process.returncode:
        sys.exit("".join(line for _, line in lines[-30:]))
    return lines


def times_of(lines: list[tuple[float, str]], pattern: str) -> list[float]:
    return [seconds for seconds, line in lines if re.match(pattern, line)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-seconds", type=float, default=300.0)
    parser.add_argument("--cpus", type=int, default=cores())
    parser.add_argument("--hours", type=float, default=0.5, help="hours of audio in a sub-epoch; 0: only the step")
    parser.add_argument("--repetitions", type=int, default=10)
    options = parser.parse_args()

    step, audio, parts = step_seconds(options.device, options.batch_seconds, options.repetitions)
    own_speed = audio / step
    print(f"{options.device}, {audio:.0f} s of audio in a batch: step {step:.3f} s, {own_speed:,.0f} h/h")
    print(", ".join(f"{name} {seconds / sum(parts.values()):.1%}" for name, seconds in parts.items()))
    if not options.hours:
        return
    with tempfile.TemporaryDirectory() as folder:
        audio = write_corpus(folder, "train", options.hours)
        write_corpus(folder, "dev", 0.01)
        job = training_job(folder, options.device, options.batch_seconds, options.cpus, num_epochs=4)
        lines = printed_lines(job, folder)
    starts, ends = times_of(lines, "start epoch "), times_of(lines, r"Epoch \d+: Trained ")
    speeds = [audio / (end - start) for start, end in zip(starts, ends, strict=True)]
    computing = [float(share) for _, line in lines for share in re.findall(r"([\d.]+)% computing time", line)]
    print(
        f"training job, {options.cpus} cores, {audio / 3600:.2f} h in a sub-epoch: "
        f"{', '.join(f'{speed:,.0f}' for speed in speeds)} h/h by sub-epoch, from the second on "
        f"{statistics.median(speeds[1:]) / own_speed:.0%} of the step's own speed; steps take "
        f"{statistics.median(computing):.1f} % of a sub-epoch, reading and RETURNN the rest"
    )
    print(f"start of the process to the first sub-epoch: {starts[0]:.1f} s; the whole job: {lines[-1][0]:.1f} s")


if __name__ == "__main__":
    main()
