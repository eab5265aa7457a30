"""Runs RETURNN on one config file, as child processes that never outlive the job's worker."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
PARENT = "CTC_KD_PARENT"
"""Variable with the process that starts another one. In a container it may be process 1, which adopts orphans."""
RECIPES = str(Path(__file__).parents[2])  # lets RETURNN import the package even if it is not installed
COMPILED = 2**15
"""Operations that oneDNN keeps compiled. A training step has about a hundred, and each is compiled for each shape of a
batch. With oneDNN's own limit of 1024, steps on real speech compile most of them again."""


def run_returnn(config: str, *, threads: int, processes: int = 1):
    """Run RETURNN on ``config`` in the current directory; its output goes to ours.

    :param threads: CPU threads for tensor operations, shared by all processes
    :param processes: number of processes that train together, one for each GPU
    :raises subprocess.CalledProcessError: RETURNN failed; its own error is further up in the log. If it was killed
        (-9), the status is 137, which workers take for a lack of memory
    """
    environment = dict(
        os.environ,
        OMP_NUM_THREADS=str(max(1, threads // processes)),
        MKL_NUM_THREADS=str(max(1, threads // processes)),
        PYTHONPATH=os.pathsep.join([RECIPES, *filter(None, [os.environ.get("PYTHONPATH")])]),
        ONEDNN_PRIMITIVE_CACHE_CAPACITY=str(COMPILED),
        PYTHONUNBUFFERED="1",
        CLICOLOR="0",  # RETURNN's tracebacks go to log files
        HF_HUB_DISABLE_TELEMETRY="1",
        **{PARENT: str(os.getpid())},
    )
    command = [sys.executable, "-m", __name__, config, str(processes)]
    status = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
    if status:
        raise subprocess.CalledProcessError(status if status > 0 else 128 - status, command)


def main():
    if sys.platform == "linux":
        # If RETURNN outlived its worker (which may get SIGKILL), it would write to the same files as its successor.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # RETURNN keeps all shards of a store open, one per 1024 utterances; often the limit is 1024 open files.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2**16), most))
    if os.getppid() != int(os.environ[PARENT]):
        sys.exit("the process that started this one is gone")
    config, processes = sys.argv[1], int(sys.argv[2])
    if processes > 1:
        run_together(config, processes)
    else:
        from returnn.__main__ import main as returnn_main

        returnn_main(["returnn", config])


def run_together(config: str, processes: int):
    """Start the processes, and end all of them when one fails. They meet at a free port of this machine."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as start

    os.environ[PARENT] = str(os.getpid())
    module = ["-m", "ctc_kd.training.run_returnn", config, "1"]
    try:
        start(["--standalone", "--local-addr=127.0.0.1", f"--nproc-per-node={processes}", *module])
    except ChildFailedError as error:
        for rank, failure in sorted(error.failures.items()):
            print(f"process {rank} of {processes} (pid {failure.pid}): exit status {failure.exitcode}", flush=True)
        killed = any(failure.exitcode == -signal.SIGKILL for failure in error.failures.values())
        sys.exit(128 + signal.SIGKILL if killed else 1)


if __name__ == "__main__":
    main()
