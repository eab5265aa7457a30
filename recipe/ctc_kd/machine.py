"""The cores and GPUs of this machine that this process may use, and what they can do, for settings and trainings.

The engine reads CUDA_VISIBLE_DEVICES alike. It is not asked here, since the recipe also runs with upstream's engine.
"""

from __future__ import annotations

import glob
import itertools
import os
import platform
import re

CPUINFO = "/proc/cpuinfo"


def cores() -> int:
    """The number of cores that are ours: ``taskset``, Slurm or a cpuset may leave fewer than the machine has.

    A quota (``docker --cpus=2``) is a speed and is not counted: jobs that ask for more cores run all the same.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """What it is called."""
    return _fact_of_processor("model name") or platform.machine()  # ARM's kernels name no model


def multiplies_bfloat16() -> bool:
    """Whether the processor has products of bfloat16, which others emulate slowly."""
    found = f"{_fact_of_processor('flags')} {_fact_of_processor('Features')}".split()  # of x86, of ARM
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(found)


def _fact_of_processor(name: str) -> str:
    try:
        with open(CPUINFO, encoding="utf-8", errors="replace") as file:
            found = re.search(rf"^{name}\s*: (.+)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else ""


def gpus() -> list[str]:
    """The ids of the GPUs that CUDA shows: those of CUDA_VISIBLE_DEVICES, or all without that variable.

    Ids are numbers or UUIDs. CUDA stops at the first entry that is neither (``-1``, ``NoDevFiles``).
    """
    all_gpus = ",".join(str(number) for number in range(len(glob.glob("/dev/nvidia[0-9]*"))))
    entries = (entry.strip() for entry in os.environ.get("CUDA_VISIBLE_DEVICES", all_gpus).split(","))
    return list(itertools.takewhile(re.compile(r"\d+|(GPU|MIG)-.+").fullmatch, entries))
