"""One job class for each behaviour that the tests look at."""

import os
import signal
import sys
import time

from sisyphus import Job, Task, tk


class Trivial(Job):
    def __init__(self, number, inputs=()):
        self.number = number
        self.inputs = inputs
        self.out = self.output_path("out")

    def run(self):
        with open(self.out, "w") as f:
            f.write(f"{self.number}\n")


class Joined(Job):
    """Its first task can resume and its second one cannot."""

    def __init__(self, parts):
        self.parts = parts
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("read", resume="read", args=range(len(self.parts)))
        yield Task("join")

    def read(self, number):
        with open(self.parts[number]) as f, open(f"part.{number}", "w") as out:
            out.write(f.read())

    def join(self):
        with open(self.out, "w") as out:
            for number in range(len(self.parts)):
                with open(f"part.{number}") as f:
                    out.write(f.read())


class Slow(Job):
    """Counts its starts in ``work/starts``; runs until the file ``go`` exists in the setup folder."""

    def __init__(self, name, resume=True, cpu=1):
        self.name = name
        self.rqmt = {"cpu": cpu, "mem": 1}
        self.resume = resume
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run" if self.resume else None, rqmt=self.rqmt)

    def run(self):
        with open("starts", "a") as f:
            f.write(f"{os.getpid()}\n")
        print("running", self.name, flush=True)
        while not os.path.exists(os.path.join(tk.gs.BASE_DIR, "go")):
            time.sleep(0.05)
        with open(self.out, "w") as f:
            f.write("done\n")

    def info(self):
        return "epoch 3 of 7"

    def completed_fraction(self):
        return 0.25


class Fails(Job):
    def __init__(self, how):
        self.how = how
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run")

    def run(self):
        if os.path.exists(os.path.join(tk.gs.BASE_DIR, "repaired")):
            open(self.out, "w").close()
        elif self.how == "raise":
            raise ValueError("utterance 17 is broken")
        elif self.how == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.how == "exit":
            os._exit(3)
        elif self.how == "sys.exit":
            sys.exit(4)


class FailsInPart(Job):
    """Its first id fails; the second one counts its starts in ``starts`` and waits for ``go``, as `Slow`."""

    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("part", resume="part", args=[1, 2])

    def part(self, number):
        if number == 1 and not os.path.exists(os.path.join(tk.gs.BASE_DIR, "repaired")):
            raise ValueError("utterance 17 is broken")
        if number == 2:
            with open("starts", "a") as f:
                f.write(f"{os.getpid()}\n")
        while number == 2 and not os.path.exists(os.path.join(tk.gs.BASE_DIR, "go")):
            time.sleep(0.05)
        open(self.out, "w").close()


class Asks(Job):
    """Writes the GPU that it got. One that asked for a GPU runs until there are two of them."""

    def __init__(self, rqmt):
        self.rqmt = rqmt
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", rqmt=self.rqmt)

    def run(self):
        with open(self.out, "w") as f:
            f.write(os.environ["CUDA_VISIBLE_DEVICES"])
        if "gpu" in self.rqmt:
            started = os.path.join(tk.gs.BASE_DIR, "started")
            with open(started, "a") as f:
                f.write("x")
            while os.path.getsize(started) < 2:
                time.sleep(0.05)


class Broken(Job):
    """``how`` names what the recipe's author got wrong."""

    def __init__(self, how):
        self.how = how
        self.out = self.output_path("out")
        if how == "attribute":
            self.helper = lambda: None

    def update(self):
        if self.how == "update":
            raise KeyError("no such key")

    def tasks(self):
        if self.how == "tasks":
            raise KeyError("no such key")
        if self.how != "no tasks":
            yield Task(
                "misspelt" if self.how == "method" else "run", rqmt={"mem": "much"} if self.how == "mem" else None
            )

    def run(self):
        pass


class Child(Job):
    """Its work is done by a command, which adds a line to ``children`` when it starts."""

    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run")

    def run(self):
        self.sh("echo $$ >> children; while ! test -e {go}; do sleep 0.05; done; echo done > {out}", go=self.go())

    def go(self):
        return os.path.join(tk.gs.BASE_DIR, "go")


class Environment(Job):
    def __init__(self):
        self.out = self.output_var("environment")

    def run(self):
        self.out.set(dict(os.environ))


class Outputs(Job):
    __sis_optional_outputs__ = {"plots/*"}

    def __init__(self, write):
        self.write = write
        self.a = self.output_path("a")
        self.folder = self.output_path("folder", directory=True)
        self.plot = self.output_path("plots/p.png")
        self.with_backup = self.output_var("v", backup=5)
        self.number = self.output_var("number")

    def tasks(self):
        yield Task("one", args=[1, 2])
        yield Task("two")

    def one(self, number):
        pass

    def two(self):
        for name in self.write:
            with open(os.path.join(os.path.dirname(str(self.a)), name), "w") as f:
                f.write("1\n")


class Parallel(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("part", args=[1, "xy", (2, 3), [4, 5], [[6, 7]]], parallel=7)
        yield Task("join")

    def part(self, *args):
        with open("parts", "a") as f:
            f.write(f"{args}\n")

    def join(self):
        os.rename("parts", self.out)
