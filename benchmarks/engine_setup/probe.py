"""Loads a graph in the engine that is on the path, and prints what each step costs as JSON.

    python probe.py ours|upstream 'layers(5000)' [FRACTION]

With FRACTION it makes finished folders for that share of the jobs instead, in the order in which they could run.
"""

import contextlib
import json
import os
import sys
import time

from count_calls import count_calls


def look_of(engine):
    """Returns two functions: the first look at all states, and the look of a later cycle."""
    if engine == "upstream":
        from sisyphus import manager, tk

        made = {}
        tk.cached_engine().start_engine()

        def first():
            made["manager"] = manager.Manager(sis_graph=tk.sis_graph, job_engine=tk.cached_engine())

        return first, lambda: made["manager"].update_jobs()
    from sisyphus.run import manager

    view = manager.Manager().view
    return lambda: view.refresh(everything=True), view.refresh


def mark_finished(fraction):
    from sisyphus import tk

    jobs = list(tk.sis_graph.jobs_sorted())
    for job in jobs[: int(len(jobs) * fraction)]:
        folder = job._sis_path()
        os.makedirs(folder + "/output")
        for name in ("output/o", "finished"):
            open(f"{folder}/{name}", "w").close()


def measured(part, work, found, calls):
    """Runs ``work()`` and stores its seconds, its processor seconds and its file-system calls in ``found``."""
    before, wall, cpu = sum(calls.values()), time.perf_counter(), time.process_time()
    work()
    found[f"{part}_s"], found[f"{part}_cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu
    found[f"{part}_calls"] = sum(calls.values()) - before


def main():
    sys.path.insert(0, os.getcwd())
    sys.setrecursionlimit(100_000)  # upstream walks chains by recursion
    from sisyphus.loader import config_manager

    found = {}
    with contextlib.redirect_stdout(sys.stderr):
        calls = count_calls() if os.environ.get("BENCH_COUNT") else {}
        measured("load", lambda: config_manager.load_configs(["config.graphs." + sys.argv[2]]), found, calls)
        if len(sys.argv) > 3:
            return mark_finished(float(sys.argv[3]))
        for part, look in zip(("first", "cycle"), look_of(sys.argv[1]), strict=True):
            measured(part, look, found, calls)
    print(json.dumps(found), flush=True)
    os._exit(0)  # do not wait for threads of an engine


if __name__ == "__main__":
    main()
