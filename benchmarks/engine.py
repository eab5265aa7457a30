"""Compares the workflow engine with upstream Sisyphus on large graphs.

    SISYPHUS_UPSTREAM=<checkout> python benchmarks/engine.py [--jobs 5000 20000] [--repeats 3]

Both engines run with this Python (upstream needs flask, psutil and ipython in it), with the same settings (no waits)
and the same graphs (engine_setup/config/graphs.py). They take turns in each repetition, and the best value is shown.
Without SISYPHUS_UPSTREAM, only ours is measured. A graph is new, half done or all done.

load      the function of the config makes the jobs
first     the first look at the states of all jobs, and its file-system calls
cycle     the same look when nothing has changed
queued    a whole cycle of a real manager (processor time) while every job that can start is in an engine's queue
submit    the manager's processor time to set up and submit one job
memory    peak of that manager's resident memory
run       jobs that call ``true`` in a shell on LocalEngine with two CPUs: wall time and the manager's own processor
          time per job. Upstream gets fewer jobs (--run-upstream), because it starts at most two per second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SETUP = Path(__file__).parent / "engine_setup"
OURS = Path(__file__).parents[1] / "engine"
IDLE_CYCLES = 5
MIB = 2**20


class Engine:
    """One of the two engines in a fresh setup folder of its own."""

    def __init__(self, name: str, source: Path, scratch: Path):
        self.name = name
        self.call = [sys.executable, str(source / "sis")] if name == "upstream" else [sys.executable, "-m", "sisyphus"]
        self.env = {**os.environ, "PYTHONPATH": str(source), "SIS_GLOBAL_SETTINGS_FILE": "settings.py"}
        self.folder = scratch / name

    def fresh(self, graph: str = "", done: float = 0.0):
        """Empties the setup folder, and finishes the share ``done`` of the jobs of ``graph``."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(SETUP, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / "work").mkdir()
        if done:
            self.probe(graph, str(done))

    def probe(self, graph: str, *fraction: str, **env: str) -> dict[str, float]:
        command = [sys.executable, "probe.py", self.name, graph, *fraction]
        env = {**self.env, "SIS_WAIT_PERIOD_BETWEEN_CHECKS": "30", **env}
        result = subprocess.run(
            command, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if result.returncode:
            sys.exit(f"{self.name} {graph}: {result.stderr[-2000:]}")
        return json.loads(result.stdout) if result.stdout else {}

    def manager(self, graph: str, *options: str, **env: str) -> psutil.Popen:
        with open(self.folder / "manager.log", "w") as log:
            return psutil.Popen(
                [*self.call, "manager", "-r", *options, f"config.graphs.{graph}"],
                cwd=self.folder,
                env={**self.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def parked(self, graph: str, queued: int) -> dict[str, float]:
        """Measures a manager while its ``queued`` startable jobs all wait in the queue of an engine."""
        process = self.manager(graph, BENCH_ENGINE="parked")
        while True:
            time.sleep(0.1)
            memory = Path(f"/proc/{process.pid}/status").read_text()
            cycles = self._cycles()
            idle = [cycle for cycle in cycles if cycle[3] >= queued]
            if len(idle) > IDLE_CYCLES:
                break
            if process.poll() is not None:
                sys.exit(f"{self.name} {graph}: the manager ended early, see {self.folder}/manager.log")
        process.kill()
        process.wait()
        busy = next(cycle for cycle in reversed(cycles) if cycle[3] == 0)
        both = list(zip(idle, idle[1:], strict=False))
        return {
            "submit_s": (idle[0][1] - busy[1]) / queued,
            "queued_s": min(after[1] - before[1] for before, after in both),
            "queued_calls": min(after[2] - before[2] for before, after in both),
            "memory_mib": int(memory.split("VmHWM:")[1].split()[0]) / 1024,
        }

    def _cycles(self) -> list[list[float]]:
        name = self.folder / "cycles"
        lines = name.read_text().splitlines(keepends=True) if name.exists() else []
        return [[float(x) for x in line.split()] for line in lines if line.endswith("\n")]

    def run(self, graph: str, jobs: int) -> dict[str, float]:
        """Run ``graph`` to its end on this machine."""
        begin = time.perf_counter()
        process = self.manager(graph)
        cpu, memory = 0.0, 0
        while process.poll() is None:
            try:
                times = process.cpu_times()
                cpu, memory = times.user + times.system, max(memory, process.memory_info().rss)
            except psutil.Error:
                break
            time.sleep(0.05)
        process.wait()
        wall = time.perf_counter() - begin
        finished = sum(1 for _ in (self.folder / "work").rglob("finished.run.1"))
        if finished != jobs:
            sys.exit(f"{self.name} {graph}: {finished} of {jobs} jobs finished, see {self.folder}/manager.log")
        return {"wall_s": wall / jobs, "cpu_s": cpu / jobs, "jobs_per_s": jobs / wall, "memory_mib": memory / MIB}


def best(engines: list[Engine], repeats: int, measure) -> dict[str, dict[str, float]]:
    """The best value of each figure; the engines take turns."""
    found = {engine.name: {} for engine in engines}
    for _ in range(repeats):
        for engine in engines:
            for key, value in measure(engine).items():
                better = max if key == "jobs_per_s" else min
                found[engine.name][key] = better(value, found[engine.name].get(key, value))
    return found


def show(title: str, figures: dict[str, dict[str, float]], rows: dict[str, tuple[str, float]]):
    """Prints one line per figure: ours, upstream's, and upstream's divided by ours."""
    for key, (what, scale) in rows.items():
        ours, rival = figures["ours"][key] * scale, figures.get("upstream", {}).get(key)
        line = f"{title:<24} {what:<28} {ours:>10.4g}"
        if rival is not None:
            line += f" {rival * scale:>10.4g} {rival * scale / ours if ours else float('inf'):>8.2f}"
        print(line, flush=True)


LOOKS = {
    "load_s": ("load, s", 1),
    "load_cpu_s": ("load, CPU s", 1),
    "first_s": ("first, s", 1),
    "first_cpu_s": ("first, CPU s", 1),
    "first_calls": ("first, calls", 1),
    "cycle_s": ("cycle, ms", 1e3),
    "cycle_cpu_s": ("cycle, CPU ms", 1e3),
    "cycle_calls": ("cycle, calls", 1),
}
PARKED = {
    "submit_s": ("submit, CPU ms per job", 1e3),
    "queued_s": ("queued, CPU ms per cycle", 1e3),
    "queued_calls": ("queued, calls per cycle", 1),
    "memory_mib": ("memory, MiB", 1),
}
RUN = {
    "jobs_per_s": ("run, jobs per second", 1),
    "wall_s": ("run, wall ms per job", 1e3),
    "cpu_s": ("run, manager CPU ms per job", 1e3),
    "memory_mib": ("run, manager MiB", 1),
}


def measure_looks(engines: list[Engine], shape: str, jobs: int, repeats: int):
    for state, done in (("new", 0.0), ("half done", 0.5), ("all done", 1.0)):
        graph = f"{shape}({jobs})"
        for engine in engines:
            engine.fresh(graph, done)
        figures = best(engines, repeats, lambda engine, graph=graph: engine.probe(graph))
        for engine in engines:
            counted = engine.probe(graph, BENCH_COUNT="1")
            figures[engine.name].update({key: n for key, n in counted.items() if key.endswith("_calls")})
        show(f"{graph} {state}", figures, LOOKS)


def measure_parked(engines: list[Engine], shape: str, jobs: int, repeats: int):
    queued = {"fan": jobs - 1, "chain": 1}.get(shape, 50)

    def measure(engine):
        engine.fresh()
        return engine.parked(f"{shape}({jobs})", queued)

    show(f"{shape}({jobs}) {queued} queued", best(engines, repeats, measure), PARKED)


def measure_run(engines: list[Engine], counts: dict[str, int], repeats: int):
    def measure(engine):
        engine.fresh()
        return engine.run(f"fan({counts[engine.name]})", counts[engine.name])

    title = "fan(" + ", ".join(str(counts[engine.name]) for engine in engines) + ")"
    show(title, best(engines, repeats, measure), RUN)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[5000, 20000])
    parser.add_argument(
        "--shapes", nargs="+", default=["layers", "fan"], help="of layers, fan, chain, targets, updates"
    )
    parser.add_argument("--parts", nargs="+", default=["looks", "parked", "run"], help="what to measure")
    parser.add_argument("--run", type=int, default=5000, help="jobs that ours runs")
    parser.add_argument("--run-upstream", type=int, default=200, help="jobs that upstream runs")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    upstream = os.environ.get("SISYPHUS_UPSTREAM")
    with tempfile.TemporaryDirectory(prefix="engine_benchmark_") as scratch:
        engines = [Engine("ours", OURS, Path(scratch))]
        if upstream:
            engines.append(Engine("upstream", Path(upstream).resolve(), Path(scratch)))
        else:
            print("SISYPHUS_UPSTREAM does not name a checkout of upstream: only this engine is measured")
        print(f"{'graph':<24} {'figure':<28} {'ours':>10} {'upstream':>10} {'ratio':>8}")
        for jobs in arguments.jobs:
            for shape in arguments.shapes:
                if "looks" in arguments.parts:
                    measure_looks(engines, shape, jobs, arguments.repeats)
                if "parked" in arguments.parts:
                    measure_parked(engines, shape, jobs, arguments.repeats)
        if "run" in arguments.parts:
            measure_run(engines, {"ours": arguments.run, "upstream": arguments.run_upstream}, arguments.repeats)


if __name__ == "__main__":
    main()
