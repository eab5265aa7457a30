"""Settings for both engines: no waits, and for ``BENCH_ENGINE=parked`` an engine that keeps every task in its queue.

The parked engine writes a line into ``cycles`` whenever the manager begins a cycle: seconds of the clock, seconds of
processor time, file-system calls, tasks in the queue.
"""

import os

WAIT_PERIOD_JOB_FS_SYNC = 0
WAIT_PERIOD_BETWEEN_CHECKS = 0.2
WAIT_PERIOD_CACHE = 0.2
WAIT_PERIOD_JOB_CLEANUP = 0
WAIT_PERIOD_MTIME_OF_INPUTS = 0
JOB_AUTO_CLEANUP = False
USE_VERBOSE_TRACEBACK = False


def engine():
    if os.environ.get("BENCH_ENGINE") == "parked":
        return _parked_engine()
    from sisyphus.localengine import LocalEngine

    return LocalEngine(cpus=int(os.environ.get("BENCH_CPUS", "2")))


def _parked_engine():
    import sys
    import time

    sys.path.append(BASE_DIR)  # noqa: F821  settings are executed inside the engine's settings module
    from count_calls import count_calls
    from sisyphus.engine import EngineBase

    calls = count_calls()
    queue = set()

    class ParkedEngine(EngineBase):
        def reset_cache(self):
            with open("cycles", "a") as f:
                f.write(f"{time.monotonic()} {time.process_time()} {sum(calls.values())} {len(queue)}\n")

        def task_state(self, task, task_id):
            return "queue" if (task.task_name(), task_id) in queue else "unknown"

        def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
            queue.update((name, i) for i in task_ids)
            return "parked", "nowhere"

        def get_default_rqmt(self, task):
            return {"cpu": 1, "mem": 1, "time": 1}

        def get_used_engine(self, engine_selector):
            return self

        def start_engine(self):
            pass

        def stop_engine(self):
            pass

    return ParkedEngine()
