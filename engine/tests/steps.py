"""A job for tests of what is done with job folders, and how it is run in this process."""

from sisyphus import Job, tk


class Step(Job):
    def __init__(self, number, inputs=()):
        self.number = number
        self.inputs = inputs
        self.out = self.output_path("out")

    def run(self):
        with open("scratch", "w") as f:
            f.write("x" * 1000)
        with open(self.out, "w") as f:
            f.write("done")


def folder_of(job):
    return job._sis_path(abspath=True)


def finished(*jobs):
    tk.run([job.out for job in jobs], quiet=True)
    return [folder_of(job) for job in jobs]
