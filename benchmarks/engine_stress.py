"""Kills managers and workers at random, and half opens connections to the status page, while the engine runs jobs.

    python benchmarks/engine_stress.py [--parts kills connections]

kills        runs --jobs jobs of six kinds (engine_setup/recipe/mixed.py), kills (-9) the manager or a worker --kills
             times, and starts the manager again as often as needed. No task id may run twice at once or after its
             end, and all outputs must equal those of an undisturbed run.
connections  jobs per second of --fan jobs that call ``true``, with a status page, alone and while --half-open
             connections to it send half a request and are opened again when the page has ended them. The runs take
             turns; the best of each kind counts. The ratio must be 0.8 or more.

Exits with status 1 if a part fails.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import http.client
import random
import re
import resource
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import psutil
from engine import OURS, Engine

PATIENCE = {"SIS_MAX_SUBMIT_RETRIES": "1000"}
LEAST_RATIO = 0.8
HALF_A_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


# kills ---------------------------------------------------------------------------------------------------------------
def workers(folder: Path) -> list[psutil.Process]:
    """The workers of this setup folder, whichever manager started them."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        inside = (process.info["cwd"] or "").startswith(str(folder))
        if inside and "worker" in (process.info["cmdline"] or []):
            found.append(process)
    return found


class Disturbed:
    """Runs ``graph`` to its end with ``kills`` kills. ``killed``: how many of each kind; ``starts`` of the manager."""

    def __init__(self, engine: Engine, graph: str, kills: int, rng: random.Random, pause_s: float):
        self.engine, self.graph, self.rng, self.pause_s = engine, graph, rng, pause_s
        self.left, self.killed, self.starts = kills, collections.Counter(), 0

    def run(self):
        while self.starts < 10 * self.left + 100:
            self.starts += 1
            manager = self.engine.manager(self.graph, **PATIENCE)
            while manager.poll() is None:
                self._disturb(manager)
            if manager.returncode == 0:
                return
        sys.exit(f"the run does not come to its end, see {self.engine.folder}/manager.log")

    def _disturb(self, manager: psutil.Popen):
        time.sleep(self.rng.uniform(0.0, 2 * self.pause_s))
        victims = workers(self.engine.folder) if self.left else []
        if not victims:
            return
        kind = self.rng.choice(["manager", "worker", "worker"])
        with contextlib.suppress(psutil.NoSuchProcess):
            (manager if kind == "manager" else self.rng.choice(victims)).kill()
            self.killed[kind] += 1
            self.left -= 1
        if kind == "manager":
            manager.wait()


def outputs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((folder / "output" / "mixed").iterdir())}


def stress_by_kills(engine: Engine, jobs: int, kills: int, seed: int, seconds: float) -> bool:
    graph = f"mixed({jobs},{seconds})"
    engine.fresh()
    if engine.manager(graph).wait():
        sys.exit(f"the undisturbed run failed, see {engine.folder}/manager.log")
    expected = outputs(engine.folder)
    engine.fresh()
    begin = time.monotonic()
    run = Disturbed(engine, graph, kills, random.Random(seed), pause_s=seconds / 2)
    run.run()
    found, doubles = outputs(engine.folder), engine.folder / "doubles"
    double_runs = doubles.read_text().splitlines() if doubles.exists() else []
    equal = sum(found.get(name) == text for name, text in expected.items())
    print(
        f"{len(expected)} jobs, {run.killed.total()} kills ({run.killed['manager']} of the manager, "
        f"{run.killed['worker']} of workers), {run.starts} starts of the manager, {time.monotonic() - begin:.0f} s"
    )
    print(f"double runs: {len(double_runs)}; outputs equal to an undisturbed run: {equal} of {len(expected)}")
    print(*double_runs, sep="\n", end="\n" * bool(double_runs))
    if run.left:
        print(f"the run ended before {run.left} of the kills: use more --seconds")
    return not double_runs and not run.left and equal == len(expected) == jobs


# connections ---------------------------------------------------------------------------------------------------------
class HalfOpen(threading.Thread):
    """Keeps ``count`` connections to a port of this machine, each of which has sent half a request and waits.

    ``taken`` counts those that the system has taken, ``ended`` those that the page has ended.
    """

    def __init__(self, port: int, count: int):
        super().__init__(daemon=True)
        self._port, self._count = port, count
        self._loop = asyncio.new_event_loop()
        self._all = self._loop.create_task(self._open_all())
        self.taken = self.ended = 0

    def run(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._all)

    async def _open_all(self):
        await asyncio.gather(asyncio.Event().wait(), *(self._one() for _ in range(self._count)))

    async def _one(self):
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                self.taken += 1
                writer.write(HALF_A_REQUEST)
                with contextlib.suppress(OSError):
                    await reader.read(1)
                self.ended += 1
                writer.close()

    def stop(self):
        self._loop.call_soon_threadsafe(self._all.cancel)
        self.join()


def address_of_page(engine: Engine) -> str:
    log = engine.folder / "manager.log"
    while not (found := re.search(r"Status page: (\S+)", log.read_text())):
        time.sleep(0.01)
    return found[1]


class Visitor(threading.Thread):
    """Requests the page every second, for as long as the manager runs. ``answered``: seconds of each answer."""

    def __init__(self, url: str, manager: psutil.Popen):
        super().__init__(daemon=True)
        self._url, self._manager = url, manager
        self.answered = []

    def run(self):
        while self._manager.is_running():
            begin = time.perf_counter()
            with contextlib.suppress(OSError, http.client.HTTPException):
                urllib.request.urlopen(self._url, timeout=60).read()
                self.answered.append(time.perf_counter() - begin)
            time.sleep(1)


def jobs_per_second(engine: Engine, jobs: int, half_open: int) -> float:
    engine.fresh()
    begin = time.perf_counter()
    manager = engine.manager(f"fan({jobs})", "--http", "0")
    url = address_of_page(engine)
    attack = HalfOpen(int(url.rstrip("/").rpartition(":")[2]), half_open)
    attack.start()
    visitor = Visitor(url, manager)
    visitor.start()
    manager.wait()
    speed = jobs / (time.perf_counter() - begin)
    attack.stop()
    answers = visitor.answered
    if manager.returncode:
        sys.exit(f"the run failed, see {engine.folder}/manager.log")
    print(
        f"{speed:6.2f} jobs per second with {half_open} half-open connections ({attack.taken} taken, {attack.ended} "
        f"ended); the page answered {len(answers)} requests, the slowest in {max(answers, default=0):.2f} s",
        flush=True,
    )
    return speed


def stress_by_connections(engine: Engine, jobs: int, half_open: int, repeats: int) -> bool:
    alone, attacked = [], []
    for _ in range(repeats):
        alone.append(jobs_per_second(engine, jobs, 0))
        attacked.append(jobs_per_second(engine, jobs, half_open))
    ratio = max(attacked) / max(alone)
    print(f"jobs per second under {half_open} half-open connections against undisturbed: {ratio:.2f}")
    return ratio >= LEAST_RATIO


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=["kills", "connections"], default=["kills", "connections"])
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one job")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fan", type=int, default=500)
    parser.add_argument("--half-open", type=int, default=1200)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="engine_stress_") as scratch:
        engine, passed = Engine("ours", OURS, Path(scratch).resolve()), True
        if "kills" in arguments.parts:
            passed &= stress_by_kills(engine, arguments.jobs, arguments.kills, arguments.seed, arguments.seconds)
        if "connections" in arguments.parts:
            passed &= stress_by_connections(engine, arguments.fan, arguments.half_open, arguments.repeats)
    sys.exit(not passed)


if __name__ == "__main__":
    main()
