"""Runs tasks as processes of this machine, as many at once as its resources allow."""

import contextlib
import itertools
import logging
import operator
import os
import re
import threading
import time

from . import global_constants as gc
from . import global_settings as gs
from .base import layout, processes
from .base.log_claim import holders_as_text, is_claimed
from .base.task_process import Stranger, TaskProcess
from .base.usage_file import read_usage, runs_here
from .engine import EngineBase, ImpossibleRequest
from .tools import str_to_GB

STARTING = 5  # seconds from the log of a worker to its usage file, at most


class LocalEngine(EngineBase):
    """``cpus``, ``gpus`` and other consumables (``mem`` in GB) that tasks share.

    ``available_gpus``: the CUDA ids to give out, as ``"0,1"`` or a list. The default is CUDA_VISIBLE_DEVICES (as CUDA
    reads it: ``""``, ``"-1"`` and ``"NoDevFiles"`` hide all), else ``0 .. gpus-1``. A task sees exactly the GPUs that
    it was given.
    """

    def __init__(self, cpus=1, gpus=0, available_gpus="", **resources):
        if isinstance(available_gpus, str):
            available_gpus = _gpu_ids(available_gpus)
        gpus = resources.pop("gpu", gpus) or len(available_gpus)
        ids = [str(g) for g in available_gpus] or _visible_gpus(gpus)
        self._wanted_gpus = gpus
        self.resources = {"cpu": resources.pop("cpu", cpus), "gpu": min(gpus, len(ids)), **resources}
        if "mem" in self.resources:
            self.resources["mem"] = str_to_GB(self.resources["mem"])
        self._free = dict(self.resources)
        self._free_gpus = ids[: self.resources["gpu"]]
        self._lock = threading.RLock()
        self._queue = {}
        self._lines = {}  # the queue, split by what is asked for
        self._running = {}
        self._nameless = set()  # task ids whose log somebody holds who is not their worker
        self._traceless = set()  # those that ended, which nothing could be written about
        self._wake = lambda: None

    # interface -----------------------------------------------------------------------------------------------------
    def set_wake(self, wake):
        self._wake = wake

    def start_engine(self):
        if self.resources["gpu"] < self._wanted_gpus:
            logging.warning(
                "the settings ask for %s GPUs, but only these can be given out: %s", self._wanted_gpus, self._free_gpus
            )

    def knows_exactly(self):
        return True

    def reset_cache(self):
        """Whatever happens to the threads that wait for tasks, no end is missed and no task waits in vain."""
        with self._lock:
            unwatched = [process for process in self._running.values() if not process.is_watched()]
            self._start_what_fits()
        for process in unwatched:
            with contextlib.suppress(OSError):  # the next look may succeed
                if (status := process.popen.poll()) is not None:
                    self._ended(process, status)

    def stop_engine(self):
        """Start nothing more. Running tasks go on and are found again by the next manager."""
        with self._lock:
            self._queue.clear()
            self._lines.clear()

    def get_default_rqmt(self, task):
        return {"cpu": 1, "mem": 1.0, "time": 1.0}

    def get_rqmt(self, task, task_id, update=True):
        """Automatic increases stop at what the machine has."""
        asked = self.of_recipe(task)
        for name in self.resources:
            if not isinstance(asked.get(name, 0), (int, float)):
                raise ImpossibleRequest(f"{task.task_name()} asks for {name}={asked[name]!r}, which is not a number")
        rqmt = super().get_rqmt(task, task_id, update)
        for name, most in self.resources.items():
            if asked.get(name, 0) <= most < rqmt.get(name, 0):
                rqmt[name] = most
        return rqmt

    def check_request(self, rqmt, task):
        if rqmt.get("multi_node_slots", 1) not in (None, 0, 1):
            raise ImpossibleRequest(f"{task.task_name()} asks for multi_node_slots, this engine has one node")
        for name, most in self.resources.items():
            if rqmt.get(name, 0) > most:
                raise ImpossibleRequest(
                    f"{task.task_name()} asks for {name}={rqmt[name]}, but the engine has at most {name}={most}: "
                    "change the task's rqmt or the engine in the settings"
                )

    def task_state(self, task, task_id):
        key = (task.task_name(), task_id)
        with self._lock:
            if key in self._running:
                return gc.STATE_RUNNING
            if key in self._queue:
                return gc.STATE_QUEUE
        return gc.STATE_RUNNING if self._adopt(task, task_id) else gc.STATE_UNKNOWN

    def in_hand(self, task):
        name = task.task_name()
        keys = [(name, i) for i in task.task_ids()]
        with self._lock:
            if not all(key in self._queue or key in self._running for key in keys):
                return None
            return gc.STATE_RUNNING if any(key in self._running for key in keys) else gc.STATE_QUEUE

    def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
        """Raises `OSError` in place of every second try of a task that leaves no trace, as on a full disk."""
        for key in self._traceless.intersection((name, i) for i in task_ids):
            self._traceless.remove(key)
            raise OSError("the last worker of {} {} could write neither its log nor a marker".format(*key))
        folder = os.path.dirname(logpath)
        with self._lock:
            for i in task_ids:
                process = TaskProcess([*call, str(i), "--redirect_output"], rqmt, folder, name, task_name, i)
                self._queue[process.key] = process
                self._lines.setdefault(self._line(process), {})[process.key] = process
        return "local", processes.hostname()

    def submitted(self):
        with self._lock:
            self._start_what_fits()

    # processes -------------------------------------------------------------------------------------------------------
    def _adopt(self, task, task_id):
        """Watch the process of an earlier manager if it is alive and the usage file names it, or will soon."""
        folder = task.job._sis_path(abspath=True)
        process = TaskProcess([], {}, folder, task.task_name(), task.name(), task_id)
        usage = task.usage(task_id)
        if not runs_here(usage):
            usage = self._usage_of_starting(process)
        if not usage:
            return False
        process.rqmt = usage.get("requested_resources", {})
        process.popen = Stranger(usage)
        held = _gpus_of(usage["pid"]) if process.rqmt.get("gpu") else []
        with self._lock:
            self._take(process, held)
        logging.debug("%s is running already (process %s)", process, usage["pid"])
        self._watch(process)
        return True

    def _usage_of_starting(self, process):
        """The usage of the worker that holds the log, as soon as it has written it; None if there is no such worker."""
        log, deadline = process.file(layout.LOG), time.monotonic() + STARTING
        if is_claimed(log):
            process.end_leftovers()
        while is_claimed(log):
            usage = read_usage(process.file(layout.USAGE))
            if runs_here(usage):
                return usage
            if process.key in self._nameless:
                return None
            if time.monotonic() > deadline:
                self._nameless.add(process.key)
                logging.warning("%s waits for %s, who holds its log %s", process, holders_as_text(log), log)
                return None
            time.sleep(0.02)
        self._nameless.discard(process.key)
        return None

    def _take(self, process, gpus=()):
        """``gpus``: what the process has already."""
        self._running[process.key] = process
        self._count_free()
        gpus = gpus or self._free_gpus[: int(process.rqmt.get("gpu", 0))]
        process.gpus = [gpu for gpu in self._free_gpus if gpu in gpus]
        self._free_gpus = [gpu for gpu in self._free_gpus if gpu not in gpus]

    def _give_back(self, process):
        del self._running[process.key]
        self._count_free()
        self._free_gpus += process.gpus

    def _count_free(self):
        """Sums anew each time: after thousands of additions and subtractions 4 GB would be 3.9999999."""
        for name, most in self.resources.items():
            self._free[name] = most - sum(process.rqmt.get(name, 0) for process in self._running.values())

    def _start_what_fits(self):
        """Shorter tasks first, equal ones in order of submission; a small task may overtake a large one.

        To be called with the lock.
        """
        while first := [next(iter(line.values())) for kind, line in self._lines.items() if line and self._fits(kind)]:
            process = min(first, key=lambda process: process.order)
            del self._queue[process.key], self._lines[self._line(process)][process.key]
            self._take(process)
            self._start(process)

    def _line(self, process):
        return process.order[0], *(process.rqmt.get(name, 0) for name in self._free)

    def _fits(self, kind):
        return all(map(operator.le, kind[1:], self._free.values()))

    def _start(self, process):
        process.start()
        self._watch(process)

    def _watch(self, process):
        """Handle its end in a thread, even if it has ended: to end one starts the next, which may have failed too."""
        process.watcher = threading.Thread(
            target=self._wait_for, args=(process,), name=f"wait for {process}", daemon=True
        )
        try:
            process.watcher.start()
        except RuntimeError as e:  # too many threads
            logging.warning("%s: the manager looks for its end now and then (%s)", process, e)

    def _wait_for(self, process):
        try:
            self._ended(process, process.popen.wait())
        except Exception:
            logging.exception("%s: lost sight of it, the manager looks for its end now and then", process)

    def _ended(self, process, status):
        """Whatever fails here, what the process has used is free again."""
        for step in (process.end_leftovers, lambda: process.record_end(status)):
            try:
                step()
            except Exception as e:
                logging.error("at the end of %s: %s: %s", process, type(e).__name__, e)
        if process.left_no_trace():
            self._traceless.add(process.key)
        with self._lock:  # only now: a task that neither runs nor has a marker would be started again
            self._give_back(process)
            self._start_what_fits()
        self._wake()


def _visible_gpus(count):
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [str(i) for i in range(count)] if visible is None else _gpu_ids(visible)[:count]


def _gpu_ids(text):
    """The numbers and UUIDs before the first entry that is neither (``-1``, ``NoDevFiles``), where CUDA stops too."""
    entries = (entry.strip() for entry in text.split(","))
    return list(itertools.takewhile(re.compile(r"\d+|(GPU|MIG)-.+").fullmatch, entries))


def _gpus_of(pid):
    """The GPUs that a process was started with."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        return psutil.Process(pid).environ().get("CUDA_VISIBLE_DEVICES", "").split(",")
    return []


def this_machine():
    """The engine where the settings define none: all CPUs of this machine, no GPU."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if gs.ENGINE_NOT_SETUP_WARNING:
        logging.info("no engine() in the settings: using this machine with %s CPUs and no GPU", cpus)
    return LocalEngine(cpus=cpus)
