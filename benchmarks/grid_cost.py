"""Compares the cost of a corpus's distilled rows from stored logits with a teacher that runs in every training step.

    python benchmarks/grid_cost.py [--device cuda] [--threads 1]

The teacher has the size of HuBERT large (random weights, evaluation mode); the paper's student learns from it with
symmetric selection at lambda = 1, in bf16 on a GPU. Both ways take the same training steps on the same batches. The
script measures the dump (teacher forward, written to disk), a step from the store, and a step with the teacher in it.
A grid is all distilled rows of Tables 1 and 2, with as many passes as the published code makes; ours pays for the dump,
too. Bar: at least 4 times less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

import torch
from torch.nn.utils.rnn import pad_sequence

from ctc_kd.experiments.rows import TABLE_1, TABLE_2
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.nn.config import StudentConfig, TeacherConfig
from ctc_kd.nn.distillation import DistillationLoss
from ctc_kd.nn.selection import Selection
from ctc_kd.nn.student import StudentCtc
from ctc_kd.nn.teacher import SpeechEncoderCtc
from ctc_kd.store import HdfWriter, read_hdf
from ctc_kd.training.training_config import ADAMW

LABELS = phonemes().labels
HUBERT_LARGE = {
    "model_type": "hubert",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "conv_bias": True,
    "do_stable_layer_norm": True,
}
ROWS = [row for row in [*TABLE_1, *TABLE_2] if row.weight is not None]
GRIDS = {"TED-LIUM v2": (100, 1), "LibriSpeech": (50, 3)}  # passes over the data, speeds that are dumped


class Measurement:
    def __init__(self, device: str, utterances: int, seconds: float):
        torch.manual_seed(0)
        self.device = device
        self.lengths = (SAMPLE_RATE_HZ * torch.empty(utterances).uniform_(0.8 * seconds, seconds)).long().to(device)
        self.audio = 0.1 * torch.randn(utterances, int(self.lengths.max()), device=device)
        self.teacher = SpeechEncoderCtc(TeacherConfig(HUBERT_LARGE, len(LABELS))).to(device).eval()
        self.student = StudentCtc(StudentConfig(len(LABELS))).to(device).train()
        options = {"eps": ADAMW["epsilon"], "weight_decay": ADAMW["weight_decay"], "fused": True}
        self.optimizer = torch.optim.AdamW(self.student.parameters(), lr=1e-4, **options)
        self.criterion = DistillationLoss(kd_scale=1.0, selection=Selection("symmetric", {"n": 1}))

    def autocast(self):
        return torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda")

    def teach(self):
        with torch.no_grad(), self.autocast():
            return self.teacher(self.audio, self.lengths)

    def dump(self, path: str):
        logits, lengths = self.teach()
        with HdfWriter(path, labels=LABELS) as store:
            for number, (one, length) in enumerate(zip(logits.half().cpu(), lengths.tolist(), strict=True)):
                store.add(f"{number}", one[:length].numpy())

    def read(self, path: str):
        stored = [torch.from_numpy(array) for _, array in read_hdf(path)]
        lengths = torch.tensor([len(one) for one in stored], device=self.device)
        return pad_sequence(stored, batch_first=True).to(self.device), lengths

    def step(self, teacher_logits, teacher_lengths):
        with self.autocast():
            logits, lengths = self.student(self.audio, self.lengths)
        losses = self.criterion(
            logits, lengths, blank=len(LABELS) - 1, teacher_logits=teacher_logits, teacher_lengths=teacher_lengths
        )
        self.optimizer.zero_grad()
        self.criterion.weighted_sum(losses).backward()
        self.optimizer.step()

    def seconds(self, path: str, repetitions: int) -> dict[str, float]:
        """Medians; the three take turns, so that other load on the machine affects all of them."""
        actions = {
            "dump": lambda: self.dump(path),
            "stored": lambda: self.step(*self.read(path)),
            "in the loop": lambda: self.step(*self.teach()),
        }
        times = {name: [] for name in actions}
        for _ in range(repetitions + 1):
            for name, action in actions.items():
                start = time.perf_counter()
                action()
                if self.device == "cuda":
                    torch.cuda.synchronize()
                times[name].append(time.perf_counter() - start)
        return {name: statistics.median(values[1:]) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the longest utterances")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    measurement = Measurement(options.device, options.batch, options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        seconds = measurement.seconds(os.path.join(folder, "logits.hdf"), options.repetitions)
    batch = float(measurement.lengths.sum()) / SAMPLE_RATE_HZ
    print(
        f"{options.device}, {options.threads} thread(s), {batch:.0f} s of audio: dump {seconds['dump']:.2f} s, "
        f"step from the store {seconds['stored']:.2f} s, step with the teacher {seconds['in the loop']:.2f} s"
    )
    for corpus, (passes, dumps) in GRIDS.items():
        ours = len(ROWS) * passes * seconds["stored"] + dumps * seconds["dump"]
        ratio = len(ROWS) * passes * seconds["in the loop"] / ours
        print(f"{corpus}, {len(ROWS)} rows of {passes} passes, {dumps} dump(s): {ratio:.2f} times less")


if __name__ == "__main__":
    main()
