"""What the second head and its losses add to a training step, against the same model with CTC alone.

    OMP_NUM_THREADS=1 python benchmarks/two_heads.py

Both steps are forward, backward and AdamW of the demo's student on the same batch of 15 s, in turns. Bar: 5 %. Prints
the medians of the ratios, for intermediate CTC, self-distillation, and its control with a dropout of its own.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from ctc_kd.experiments.demo import DEMO
from ctc_kd.training.build import build_model, with_two_heads
from ctc_kd.training.criteria import build_criterion

SECONDS, UTTERANCES, LABELS = 3.0, 5, 30
CRITERIA = {
    "CTC": {"kd_scale": 0.0},
    "intermediate CTC": {"class": "IntermediateCtcLoss", "alpha": 0.5},
    "self-distillation": {"class": "SelfDistillationLoss", "alpha": 0.5},
    "with dropout of its own": {"class": "SelfDistillationLoss", "alpha": 0.5, "independent_dropout": True},
}


class Step:
    def __init__(self, criterion):
        torch.manual_seed(0)
        self.model = build_model(DEMO.student if "class" not in criterion else with_two_heads(DEMO.student, 2)).train()
        self.criterion = build_criterion(criterion)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4, fused=True)

    def seconds(self, audio, lengths, targets):
        start = time.perf_counter()
        self.optimizer.zero_grad()
        outputs, frames = self.criterion.outputs(self.model, audio, lengths)
        losses = self.criterion(outputs, frames, blank=DEMO.student["num_labels_with_blank"] - 1, **targets)
        self.criterion.weighted_sum(losses).backward()
        self.optimizer.step()
        return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30)
    rounds = parser.parse_args().steps
    audio = 0.1 * torch.randn(UTTERANCES, int(16000 * SECONDS))
    lengths = torch.full((UTTERANCES,), audio.shape[1])
    targets = {"targets": torch.randint(0, 70, (UTTERANCES, LABELS)), "target_lengths": lengths.new_full((5,), LABELS)}
    steps = {name: Step(criterion) for name, criterion in CRITERIA.items()}
    times = {name: [] for name in steps}
    for number in range(rounds + 3):
        for name, step in steps.items():
            seconds = step.seconds(audio, lengths, targets)
            if number >= 3:  # the first ones allocate memory
                times[name].append(seconds)
    print(f"CTC: {1000 * statistics.median(times['CTC']):.0f} ms")
    for name in list(steps)[1:]:
        ratios = [one / plain for one, plain in zip(times[name], times["CTC"], strict=True)]
        print(f"{name}: {100 * (statistics.median(ratios) - 1):+.1f} %")


if __name__ == "__main__":
    main()
