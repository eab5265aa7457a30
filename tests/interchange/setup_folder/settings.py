"""Short waits for upstream; the bundled engine needs none on a local disk."""

import os

WAIT_PERIOD_JOB_FS_SYNC = 1
WAIT_PERIOD_BETWEEN_CHECKS = 1
WAIT_PERIOD_CACHE = 1
WAIT_PERIOD_JOB_CLEANUP = 1
WAIT_PERIOD_MTIME_OF_INPUTS = 0
PLOGGING_UPDATE_FILE_PERIOD = 1
JOB_CLEANER_INTERVAL = 1
JOB_AUTO_CLEANUP = bool(os.environ.get("CLEANUP"))
USE_VERBOSE_TRACEBACK = False


def engine():
    from sisyphus.localengine import LocalEngine

    return LocalEngine(cpus=4, mem=16)
