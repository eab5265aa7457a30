"""Runs RETURNN on one config file, as a child process that never outlives the job's worker."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
RECIPES = str(Path(__file__).parents[2])  # importable for RETURNN also where the package is not installed


def run_returnn(config: str, *, threads: int):
    """Run RETURNN on ``config`` in the current directory; its output goes to ours.

    :param threads: number of CPU threads for tensor operations
    :raises subprocess.CalledProcessError: RETURNN failed; its own error stands above in the log
    """
    environment = dict(
        os.environ,
        OMP_NUM_THREADS=str(threads),
        MKL_NUM_THREADS=str(threads),
        PYTHONPATH=os.pathsep.join([RECIPES, *filter(None, [os.environ.get("PYTHONPATH")])]),
        PYTHONUNBUFFERED="1",
        CLICOLOR="0",  # RETURNN's tracebacks go to log files
        HF_HUB_DISABLE_TELEMETRY="1",
    )
    command = [sys.executable, "-m", __name__, config]
    subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)


def main():
    if sys.platform == "linux":
        # If the worker is killed (also by SIGKILL), a RETURNN that went on would write beside its successor.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        sys.exit("the worker that started this process is gone")
    from returnn.__main__ import main as returnn_main

    returnn_main(["returnn", *sys.argv[1:]])


if __name__ == "__main__":
    main()
