"""Kills the manager, trainings, the dump and searches of the demo at random moments, and compares word error rates.

    python benchmarks/kill_and_resume.py --reference output/demo/demo/records

This runs the demo once more in a scratch folder, kills its processes (-9), restarts it as often as needed, and exits
with status 1 if a record differs from the undisturbed run's. Only recognition results are compared, not job ids,
seconds and the like.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

VICTIMS = {"manager": 30.0, "TrainJob": 60.0, "DumpLogitsJob": 20.0, "PosteriorsJob": 10.0, "TuneScalesJob": 5.0}
"""What is killed (the manager, or a process of a job of that class) -> most seconds after it is first seen."""
COMPARED = ("dev", "test", "lm_scale", "prior_scale")


def processes_of(kind: str, folder: str) -> list[psutil.Process]:
    """The manager, or the processes below a worker of a job class, that work in ``folder``."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = " ".join(process.info["cmdline"] or [])
        if not (process.info["cwd"] or "").startswith(folder):
            continue
        if kind == "manager" and " manager " in command:
            found.append(process)
        elif f"/{kind}." in command and " worker " in command:
            found += [process, *process.children(recursive=True)]
    return found


class Killer:
    """Kills a process of each kind in ``pending`` once, a random time after one is seen.

    All kinds are watched at once. If a process ends before its time comes, the next of its kind is killed on sight.
    """

    def __init__(self, pending: list[str], folder: str, rng: random.Random, speed: float):
        self.pending, self.folder, self.rng, self.speed = pending, folder, rng, speed
        self.longest_wait_s = {kind: seconds / speed for kind, seconds in VICTIMS.items()}
        self.due = {}

    def look(self):
        """Looks once at the pending kinds; has to be called again and again while the manager lives."""
        for kind in list(dict.fromkeys(self.pending)):
            victims = processes_of(kind, self.folder)
            if victims and kind not in self.due:
                self.due[kind] = time.monotonic() + self.rng.uniform(0.0, self.longest_wait_s[kind])
            if time.monotonic() < self.due.get(kind, math.inf):
                continue
            del self.due[kind]
            self.longest_wait_s[kind] = 0.0
            if victims:
                self.kill(kind, self.rng.choice(victims))

    def kill(self, kind: str, victim: psutil.Process):
        with contextlib.suppress(psutil.NoSuchProcess):
            print(f"kill -9 {victim.pid} ({kind}: {' '.join(victim.cmdline())[-90:]})", flush=True)
            victim.kill()
            self.pending.remove(kind)
            self.longest_wait_s[kind] = VICTIMS[kind] / self.speed


def run_disturbed(config: str, folder: str, pending: list[str], rng: random.Random, speed: float):
    """Run ``config`` in ``folder`` until it is done, and restart it after every death of the manager."""
    command = [sys.executable, "-m", "sisyphus", "manager", "-r", "-co", config]
    killer = Killer(pending, folder, rng, speed)
    for attempt in range(2 * len(pending) + 1):
        with open(os.path.join(folder, f"manager.{attempt:02d}.log"), "w") as log:
            manager = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
            while pending and manager.poll() is None:
                killer.look()
                time.sleep(0.05)
            manager.wait()
        print(f"the manager ended with status {manager.returncode}, kills to come: {pending or 'none'}", flush=True)
        if manager.returncode == 0:
            break
    else:
        sys.exit(f"the workflow did not finish, see {folder}/manager.*.log")
    if pending:
        sys.exit(f"no process of {pending} was seen: use another --seed, or a higher --speed")


def results(folder: Path) -> dict[str, dict]:
    records = {}
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text())
        records[path.name] = {name: record[name] for name in COMPARED}
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, required=True, help="folder of the undisturbed run's records")
    parser.add_argument("--config", default="config/demo.py")
    parser.add_argument("--kills", type=int, default=1, help="kills of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0, help="how much shorter the jobs are than the demo's")
    parser.add_argument("--setup", type=Path, default=Path(__file__).parents[1], help="folder with config and settings")
    arguments = parser.parse_args()

    expected = results(arguments.reference)
    rng = random.Random(arguments.seed)
    folder = tempfile.mkdtemp(prefix="kill_and_resume_")
    for name in os.listdir(arguments.setup):
        if name not in ("work", "output", "alias"):
            os.symlink(arguments.setup.resolve() / name, os.path.join(folder, name))
    os.mkdir(os.path.join(folder, "work"))
    pending = [kind for _ in range(arguments.kills) for kind in rng.sample(list(VICTIMS), len(VICTIMS))]
    run_disturbed(arguments.config, folder, pending, rng, arguments.speed)
    found = results(Path(folder) / os.path.relpath(arguments.reference.resolve(), arguments.setup.resolve()))
    different = [name for name in expected if expected[name] != found.get(name)]
    print(f"{len(expected) - len(different)} of {len(expected)} rows equal, different: {different or 'none'}")
    sys.exit(bool(different or not expected))


if __name__ == "__main__":
    main()
