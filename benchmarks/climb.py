"""Climbing to the best pair of scales, beside the search of the whole grid.

    OMP_NUM_THREADS=1 python benchmarks/climb.py [--rows 12]

Started where `make demo` has run. The posteriors of its rows are searched with the paper's grid of 70 pairs, and again
with the pairs that a climb asks for. Prints times, numbers of pairs and error rates on dev. Bar: a third of the time,
at most 0.05 points above the grid's best.
"""

from __future__ import annotations

import argparse
import glob
import os
import statistics
import time

from sisyphus import tk

from ctc_kd.decoding.tune import best_of
from ctc_kd.experiments.paper_presets import PAPER

SCALES = PAPER["tedlium2"].scales


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=12)
    options = parser.parse_args()

    shares, losses = [], []
    for job in tuned_rows()[: options.rows]:
        job.lm_scales, job.prior_scales = SCALES.lm, SCALES.prior
        search = job.searcher()
        start = time.perf_counter()
        grid = dict(search(job.grid()))
        middle = time.perf_counter()
        job.climb, wers = True, {}
        while missing := job.missing(wers):
            wers |= search(missing)
        seconds = middle - start, time.perf_counter() - middle
        best, found = best_of(grid), best_of(wers)
        shares.append(seconds[1] / seconds[0])
        losses.append(wers[found] - grid[best])
        print(
            f"grid {len(grid)} pairs, {seconds[0]:5.1f} s, {grid[best]:5.2f} % at {best}; "
            f"climb {len(wers):2} pairs, {seconds[1]:5.1f} s, {wers[found]:5.2f} % at {found}",
            flush=True,
        )
    print(f"{len(shares)} rows: {statistics.mean(shares):.0%} of the time, at most {max(shares):.0%}")
    near = sum(loss <= 0.05 for loss in losses)
    print(f"{near} within 0.05 points of the grid's best; {statistics.mean(losses):.3f} above in the mean")


def tuned_rows():
    """The jobs that chose scales with a language model, one for each set of posteriors."""
    jobs = [tk.load_job(folder) for folder in sorted(glob.glob("work/ctc_kd/decoding/tune/TuneScalesJob.*"))]
    if not jobs:
        raise SystemExit(f"{os.getcwd()}: no job has tuned scales here; expected a folder where `make demo` has run")
    return list({job.posteriors: job for job in jobs if job.lm is not None}.values())


if __name__ == "__main__":
    main()
