"""Jobs that ask for a GPU, on one core."""


def on_cpu(job):
    job.rqmt.update(cpu=1, gpu=0)
    return job
