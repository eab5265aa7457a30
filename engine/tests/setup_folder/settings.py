"""Settings of the small runs in these tests: two CPUs, two (imaginary) GPUs, no clean-up."""

import os

WAIT_PERIOD_BETWEEN_CHECKS = 1
JOB_AUTO_CLEANUP = bool(os.environ.get("TEST_CLEANUP"))
JOB_CLEANER_INTERVAL = 0.2
WAIT_PERIOD_JOB_CLEANUP = 0
DEFAULT_ENVIRONMENT_KEEP = {*DEFAULT_ENVIRONMENT_KEEP, "KEPT_BY_SETTINGS"}  # noqa: F821


def engine():
    from sisyphus.localengine import LocalEngine

    return LocalEngine(cpus=2, gpus=2, mem=4)


def on_job_failure(job):
    with open(os.path.join(BASE_DIR, "failures"), "a") as f:  # noqa: F821
        f.write(job.job_id() + "\n")
