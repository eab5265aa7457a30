"""A job that records in ``events`` of the setup folder what its tasks do."""

import fcntl
import os
import time

from sisyphus import Job, Task, tk


class Works(Job):
    """``ids`` tasks, each until the file ``go`` exists (``wait``) or until it has run ``attempts`` times.

    ``eats``: MB of memory; ``rqmt``: of its tasks.
    """

    def __init__(self, name, *, ids=1, wait=False, attempts=1, eats=0, resume=True, inputs=(), rqmt=None):
        self.name = name
        self.ids = ids
        self.wait = wait
        self.attempts = attempts
        self.eats = eats
        self.resume = resume
        self.inputs = inputs
        self.rqmt = rqmt or {}
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run" if self.resume else None, rqmt=self.rqmt, args=range(self.ids))
        yield Task("join", mini_task=True)

    def run(self, number):
        say = Events(f"{self.name}.{number}")
        attempt = say("start")
        food = bytearray(self.eats << 20)
        while self.wait and not os.path.exists(os.path.join(tk.gs.BASE_DIR, "go")):
            time.sleep(0.05)
        while attempt < self.attempts:
            time.sleep(0.05)
        time.sleep(5 if food else 0.2)
        with open(f"part.{number}", "w") as f:
            f.write(f"{number}\n")
        say("end")

    def join(self):
        with open(self.out, "w") as out:
            for number in range(self.ids):
                with open(f"part.{number}") as f:
                    out.write(f.read())


class Events:
    """Lines ``what name`` in ``events``; says ``overlap`` if another process is in the same task."""

    def __init__(self, name):
        self.name = name
        folder = tk.gs.BASE_DIR
        self.file = os.path.join(folder, "events")
        self.lock = open(os.path.join(folder, f"lock.{name}"), "w")  # noqa: SIM115  held until the process ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self("overlap")

    def __call__(self, what):
        """Returns how often this was said of the task."""
        with open(self.file, "a+") as f:
            f.write(f"{what} {self.name}\n")
            f.flush()
            f.seek(0)
            return f.read().split("\n").count(f"{what} {self.name}")
