"""Jobs that can be caught in every state: finished, failed, running, waiting."""

import os
import time

from sisyphus import Job, Task, gs


class Quick(Job):
    def __init__(self, *, inputs=()):
        self.inputs = inputs
        self.out = self.output_path("out")
        self.number = self.output_var("number")

    def tasks(self):
        yield Task("run", resume="run", rqmt={"cpu": 1, "mem": 0.1, "time": 1})

    def run(self):
        self.sh("cat {texts} > {out} && echo quick >> {out}", texts=" ".join(map(str, self.inputs)) or "/dev/null")
        self.number.set(len(self.inputs))


class Slow(Quick):
    """Counts its starts, and ends when the setup folder has a file ``go``."""

    def run(self):
        with open("starts", "a") as file:
            file.write("started\n")
        while not os.path.exists(os.path.join(gs.BASE_DIR, "go")):
            time.sleep(0.05)
        super().run()


class Fails(Quick):
    """Until the setup folder has a file ``repaired``."""

    def run(self):
        if not os.path.exists(os.path.join(gs.BASE_DIR, "repaired")):
            raise ValueError("not yet repaired")
        super().run()
