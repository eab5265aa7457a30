"""How much faster steps of the demo's student are on utterances of all lengths, as oneDNN keeps all that it compiles.

    OMP_NUM_THREADS=1 python benchmarks/compiled_shapes.py

Steps are of one utterance each, noise with durations like LibriSpeech's, in bfloat16, padded as in our trainings.
oneDNN reads its limit when it is loaded, so each of the two runs in a process of its own; they take turns. Prints the
mean of the last pass, in which all shapes have been seen, for oneDNN's own limit and for that of our trainings, and the
ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from padding import drawn

from ctc_kd.training.run_returnn import COMPILED

PASSES = 3
LIMITS = {"oneDNN's own limit, 1024": 1024, f"that of trainings, {COMPILED}": COMPILED}


def seconds_per_step(utterances: int) -> float:
    """Of the last pass."""
    import torch

    from ctc_kd.experiments.demo import DEMO
    from ctc_kd.training.build import build_model
    from ctc_kd.training.step_parts import in_few_shapes

    torch.manual_seed(0)
    model = build_model(DEMO.student).train()
    lengths = [int(16_000 * seconds) for seconds in drawn(utterances)]
    for _ in range(PASSES):
        start = time.perf_counter()
        for samples in lengths:
            with torch.autocast("cpu", torch.bfloat16):
                logits, _ = model(in_few_shapes(torch.randn(1, samples)), torch.tensor([samples]))
            logits.float().square().mean().backward()
            model.zero_grad()
        seconds = time.perf_counter() - start
    return seconds / utterances


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=100)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="prints only the seconds of one step, in this process")
    args = parser.parse_args()
    if args.alone:
        print(seconds_per_step(args.utterances))
        return
    found: dict[str, list[float]] = {name: [] for name in LIMITS}
    for _ in range(args.repetitions):
        for name, limit in LIMITS.items():
            command = [sys.executable, __file__, "--alone", f"--utterances={args.utterances}"]
            environment = {**os.environ, "ONEDNN_PRIMITIVE_CACHE_CAPACITY": str(limit)}
            found[name].append(float(subprocess.check_output(command, env=environment)))
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    for name, seconds in medians.items():
        print(f"{name}: {1000 * seconds:.0f} ms a step")
    slow, fast = medians.values()
    print(f"ratio {slow / fast:.2f}")


if __name__ == "__main__":
    main()
