"""Settings of the workflow manager for this folder; engine/README.md says what else can stand here."""

JOB_AUTO_CLEANUP = True


def engine():
    """This machine: all its cores, most of its memory."""
    import os

    import psutil
    from sisyphus.localengine import LocalEngine

    return LocalEngine(cpus=os.cpu_count() or 1, mem=0.8 * psutil.virtual_memory().total / 2**30)
