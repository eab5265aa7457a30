"""Measures ``ctc-kd transcribe``: time to the first word, real-time factor and peak memory, with and without search.

    OMP_NUM_THREADS=1 python benchmarks/transcribe.py FOLDER RECORDING [RECORDING ...] [--minutes 60]

The recordings are repeated until they last as long as ``--minutes`` says, in one WAV file. Each figure is of a
process of its own. The time to the first word is that of the first recording, the best of three; it holds the start of
Python and the loading of the folder, all files being in memory. Beside it stands what ``import torch`` alone takes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np
import soundfile

from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.recognition.sound import of_file

TRANSCRIBE = ["-m", "ctc_kd.recognition.command", "transcribe"]


class Cost(NamedTuple):
    """
    :param first_s: wall time to the first byte of output, or to the end without any
    :param cpu_s: processor time of the process
    :param peak_mib: its largest resident memory
    """

    first_s: float
    cpu_s: float
    peak_mib: float
    output: str


def cost_of(*arguments: str) -> Cost:
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = process.stdout.read(1)
    first_s = time.monotonic() - start
    output = (first + process.stdout.read()).decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}: exit status {process.returncode}")
    return Cost(first_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output)


def fastest(*arguments: str) -> Cost:
    return min((cost_of(*arguments) for _ in range(3)), key=lambda cost: cost.first_s)


def write_repeated(target: str, recordings: list[str], num_samples: int):
    parts = [np.concatenate(list(of_file(recording)())) for recording in recordings]
    with soundfile.SoundFile(target, "w", SAMPLE_RATE_HZ, channels=1, subtype="PCM_16") as file:
        for part in itertools.cycle(parts):
            file.write(part[: num_samples - file.frames])
            if file.frames == num_samples:
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    alone = fastest("-c", "import torch")
    print(f"import torch: {alone.first_s:.2f} s, {alone.cpu_s:.2f} s of processor time", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        long, seconds = os.path.join(folder, "long.wav"), 60 * options.minutes
        write_repeated(long, options.recordings, round(seconds * SAMPLE_RATE_HZ))
        for name, flags in (("greedy", ["--greedy"]), ("with the folder's decoder", [])):
            short = fastest(*TRANSCRIBE, options.folder, options.recordings[0], *flags)
            print(f"{name}: first word after {short.first_s:.2f} s, {short.cpu_s:.2f} s of processor time", flush=True)
            cost = cost_of(*TRANSCRIBE, options.folder, long, *flags)
            print(
                f"{name}, {options.minutes:g} minutes: real-time factor {(cost.cpu_s - short.cpu_s) / seconds:.4f}, "
                f"{cost.peak_mib:.0f} MiB at most ({short.peak_mib:.0f} for the short one), "
                f"{len(cost.output.split())} words in {len(cost.output.splitlines())} lines",
                flush=True,
            )


if __name__ == "__main__":
    main()
