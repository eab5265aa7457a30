"""Jobs of many kinds that notice a second run of their task id: for ``engine_stress.py``.

A task id locks a file as long as a process of it lives, its commands and forked copies included. Who finds the file
locked, or its task finished, adds a line to ``doubles`` in the setup folder.
"""

import fcntl
import os
import signal
import time

from sisyphus import Job, Task, gs

LOCK = "exec 9> {lock}; flock -n 9 || echo {lock} >> {doubles}"


def lock_name(job, task):
    name = os.path.join(gs.BASE_DIR, "locks", f"{job.job_id().replace('/', '.')}.{task}")
    os.makedirs(os.path.dirname(name), exist_ok=True)
    return name


def doubles():
    return os.path.join(gs.BASE_DIR, "doubles")


class Mixed(Job):
    """Adds ``number`` to the numbers of its inputs, and takes ``seconds`` for it."""

    def __init__(self, number, inputs, seconds):
        self.number = number
        self.inputs = inputs
        self.seconds = seconds
        self.out = self.output_path("number")

    def tasks(self):
        yield Task("run", resume="run")

    def run(self):
        self.begin("run.1")
        time.sleep(self.seconds)
        self.write()

    def begin(self, task):
        handle = os.open(lock_name(self, task), os.O_RDWR | os.O_CREAT)  # open until this process ends
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            double = os.path.exists(f"../finished.{task}")
        except BlockingIOError:
            double = True
        if double:
            with open(doubles(), "a") as f:
                f.write(f"{self.job_id()} {task}\n")

    def total(self):
        numbers = [int(open(path.get_path()).read()) for path in self.inputs]  # noqa: SIM115
        return self.number + sum(numbers) % 1_000_003

    def write(self):
        with open(self.out.get_path(), "w") as f:
            f.write(f"{self.total()}\n")


class ByCommand(Mixed):
    """Its work is done by a command of the shell."""

    def run(self):
        lock, command = lock_name(self, "command"), LOCK + "; sleep {seconds}; echo {total} > {out}"
        self.begin("run.1")
        self.sh(command, lock=lock, doubles=doubles(), total=self.total())


class InParts(Mixed):
    """Three task ids at once, and a task after them that cannot resume."""

    def tasks(self):
        yield Task("part", resume="part", args=[1, 2, 3])
        yield Task("join")

    def part(self, number):
        self.begin(f"part.{number}")
        time.sleep(self.seconds / 2)
        with open(f"part.{number}", "w") as f:
            f.write(f"{number}\n")

    def join(self):
        self.begin("join.1")
        for number in (1, 2, 3):
            open(f"part.{number}").close()
        self.write()


class WithCopy(Mixed):
    """Has a forked copy in another session and folder, which a kill of the worker leaves behind."""

    def run(self):
        self.begin("run.1")
        copy = os.fork()
        if copy == 0:
            os.setsid()
            os.chdir("/")
            time.sleep(600)
            os._exit(0)
        time.sleep(self.seconds)
        os.kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)
        self.write()


class Afresh(Mixed):
    """Cannot resume: after a kill the next manager starts it in a new folder."""

    def tasks(self):
        yield Task("run")


class AtSecondTry(Mixed):
    def tasks(self):
        yield Task("run", resume="run", tries=2)

    def run(self):
        self.begin("run.1")
        time.sleep(self.seconds / 2)
        if not os.path.exists("tried"):
            open("tried", "w").close()
            raise RuntimeError("the first try fails")
        self.write()


KINDS = (Mixed, ByCommand, InParts, WithCopy, Afresh, AtSecondTry)
