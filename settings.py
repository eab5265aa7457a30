"""Settings of the workflow manager for this folder; see engine/README.md for what else can stand here."""

JOB_AUTO_CLEANUP = True


def engine():
    from sisyphus.localengine import LocalEngine

    return LocalEngine(cpus=2, mem=8)
