"""Settings for this folder: the workflow manager's (engine/README.md) and the places of data (docs/real_corpora.md)."""

JOB_AUTO_CLEANUP = True

# CORPUS_DIRS = {"librispeech": "/data/LibriSpeech", "tedlium2": "/data/TEDLIUM_release2"}  # else they are downloaded
# REQUESTS = {"TrainJob": {"cpu": 6, "mem": 32}}  # by kind of job; not part of its id


def engine():
    """Runs jobs on all cores and GPUs that are ours, in most of the memory. On a cluster, use the line with Slurm."""
    # from sisyphus.slurm import SlurmEngine; return SlurmEngine({"mem": 8, "time": 4})
    import psutil
    from sisyphus.localengine import LocalEngine

    from ctc_kd.machine import cores, gpus

    ours = gpus()
    memory = 0.8 * psutil.virtual_memory().total / 2**30
    return LocalEngine(cpus=cores(), gpus=len(ours), available_gpus=",".join(ours), mem=memory)
