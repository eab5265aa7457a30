"""Settings of the small runs on Slurm: mini tasks on this machine, all others there."""

import ast
import os

WAIT_PERIOD_BETWEEN_CHECKS = 1
WAIT_PERIOD_QSTAT_PARSING = 1
JOB_AUTO_CLEANUP = False
STATUS_PERIOD = 5


def engine():
    from sisyphus.engine import EngineSelector
    from sisyphus.localengine import LocalEngine
    from sisyphus.slurm import engine as slurm

    slurm.PAUSE = slurm.SETTLE = 3
    slurm.SUBMISSION = 10
    options = ast.literal_eval(os.environ.get("TEST_ENGINE", "{}"))
    cluster = slurm.SlurmEngine({"mem": 0.1, "time": 0.1}, **options)
    return EngineSelector({"short": LocalEngine(cpus=1), "long": cluster}, default_engine="long")
