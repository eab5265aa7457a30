"""Settings for this folder: the workflow manager's (engine/README.md) and the places of data (docs/real_corpora.md)."""

JOB_AUTO_CLEANUP = True

# CORPUS_DIRS = {"librispeech": "/data/LibriSpeech", "tedlium2": "/data/TEDLIUM_release2"}  # else they are downloaded
# REQUESTS = {"TrainJob": {"cpu": 6, "mem": 32}}  # by kind of job; not part of its id


def engine():
    """Runs jobs on all cores and GPUs of this machine, in most of its memory. On a cluster, use the line with Slurm."""
    # from sisyphus.slurm import SlurmEngine; return SlurmEngine({"mem": 8, "time": 4}, limits={"mem": 200, "time": 24})
    import glob
    import os

    import psutil
    from sisyphus.localengine import LocalEngine

    found = ",".join(str(number) for number in range(len(glob.glob("/dev/nvidia[0-9]*"))))
    gpus = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", found).split(",") if gpu]
    memory = 0.8 * psutil.virtual_memory().total / 2**30
    return LocalEngine(cpus=os.cpu_count() or 1, gpus=len(gpus), available_gpus=",".join(gpus), mem=memory)
