"""Kill the manager, trainings, the dump and searches of the demo at random moments, and compare the word error rates.

    python benchmarks/kill_and_resume.py --reference output/demo/demo/records

runs the demo once more in a scratch folder, kills (-9), starts it again as often as needed, and exits with status 1 if
a record differs from the undisturbed run's. Job ids, seconds and the like are not compared: recognition results are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
VICTIMS = ("manager", "TrainJob", "DumpLogitsJob", "TuneScalesJob", "PosteriorsJob")
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


def disturb(manager: subprocess.Popen, folder: str, rng: random.Random, pending: list[str]):
    """Wait a random time, then kill one process of the next kind that is alive; ``pending`` loses that kind."""
    time.sleep(rng.uniform(5.0, 30.0))
    for kind in pending:
        victims = processes_of(kind, folder)
        if victims and manager.poll() is None:
            victim = rng.choice(victims)
            print(f"kill -9 {victim.pid} ({kind}: {' '.join(victim.cmdline())[-90:]})", flush=True)
            victim.kill()
            pending.remove(kind)
            return


def run_disturbed(config: str, folder: str, kills: int, seed: int):
    rng = random.Random(seed)
    pending = [kind for _ in range(kills) for kind in rng.sample(VICTIMS, len(VICTIMS))]
    command = [sys.executable, "-m", "sisyphus", "manager", "-r", "-co", config]
    for attempt in range(4 * len(pending)):
        with open(os.path.join(folder, f"manager.{attempt:02d}.log"), "w") as log:
            manager = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
            while manager.poll() is None:
                if pending:
                    disturb(manager, folder, rng, pending)
                else:
                    manager.wait()
        print(f"the manager ended with status {manager.returncode}, {len(pending)} kills to come", flush=True)
        if manager.returncode == 0:
            return
    sys.exit("the workflow did not come to an end")


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
    arguments = parser.parse_args()

    expected = results(arguments.reference)
    folder = tempfile.mkdtemp(prefix="kill_and_resume_")
    for name in ("config", "recipe", "settings.py"):
        os.symlink(ROOT / name, os.path.join(folder, name))
    os.mkdir(os.path.join(folder, "work"))
    run_disturbed(arguments.config, folder, arguments.kills, arguments.seed)
    found = results(Path(folder) / os.path.relpath(arguments.reference.resolve(), ROOT))
    different = [name for name in expected if expected[name] != found.get(name)]
    print(f"{len(expected) - len(different)} of {len(expected)} rows equal, different: {different or 'none'}")
    sys.exit(bool(different or not expected))


if __name__ == "__main__":
    main()
