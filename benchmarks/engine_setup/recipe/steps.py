"""The jobs of the graphs in config/graphs.py."""

from sisyphus import Job, Task


class Step(Job):
    """Runs ``true`` in a shell."""

    def __init__(self, number, inputs=()):
        self.number = number
        self.inputs = list(inputs)
        self.out = self.output_path("o")

    def tasks(self):
        yield Task("run", rqmt={"cpu": 1, "mem": 0.1, "time": 0.1})

    def run(self):
        self.sh("true > {out}")


class UpdatedStep(Step):
    """Has an ``update()``, which every look at its inputs calls."""

    def update(self):
        self.seen = True


class Collect(Job):
    def __init__(self, inputs):
        self.inputs = list(inputs)
        self.out = self.output_path("o")

    def tasks(self):
        yield Task("run", mini_task=True)

    def run(self):
        with open(self.out.get_path(), "w") as f:
            f.write(f"{len(self.inputs)}\n")
