"""Settings for this folder: of the workflow manager (engine/README.md), and where data lies (docs/real_corpora.md)."""

JOB_AUTO_CLEANUP = True

# CORPUS_DIRS = {"librispeech": "/data/LibriSpeech", "tedlium2": "/data/TEDLIUM_release2"}  # else they are downloaded
# REQUESTS = {"TrainJob": {"cpu": 6, "mem": 32}}  # by kind of job; no part of its identity


def engine():
    """This machine: all its cores and GPUs, most of its memory; on a cluster take the line with Slurm."""
    # from sisyphus.slurm import SlurmEngine; return SlurmEngine({"mem": 8, "time": 4}, limits={"mem": 200, "time": 24})
    import glob
    import os

    import psutil
    from sisyphus.localengine import LocalEngine

    found = ",".join(str(number) for number in range(len(glob.glob("/dev/nvidia[0-9]*"))))
    gpus = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", found).split(",") if gpu]
    memory = 0.8 * psutil.virtual_memory().total / 2**30
    return LocalEngine(cpus=os.cpu_count() or 1, gpus=len(gpus), available_gpus=",".join(gpus), mem=memory)
