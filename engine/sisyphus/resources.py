"""Records what a task uses (``usage.<task>.<id>``) while it runs, and which process it is."""

import ast
import contextlib
import getpass
import logging
import os
import threading
import time

from . import global_constants as gc
from . import global_settings as gs
from . import processes
from .tools import write_atomically
from .usage_history import UsageHistory

_GB = 1024**3


class UsageLogger(threading.Thread):
    """Measures this process and its children every ``PLOGGING_INTERVAL`` seconds.

    The file is written at start, every ``PLOGGING_UPDATE_FILE_PERIOD`` seconds, when memory grows by
    ``PLOGGING_MIN_CHANGE``, and at the end.
    """

    def __init__(self, jobdir, task_name, task_id, engine, number=0):
        super().__init__(name="usage", daemon=True)
        self._filename = usage_filename(jobdir, task_name, task_id, number)
        self._history = UsageHistory(usage_filename(jobdir, task_name, task_id, number, gc.USAGE_HISTORY))
        self._engine = engine
        self._rqmt = _requested(f"{jobdir}/{gc.ENGINE_SUBMIT}.{task_name}", task_id)
        self._begin = time.monotonic()
        self._stopped = threading.Event()
        self._written = -1e9
        self._written_rss = 0.0
        self._max = {"cpu": 0.0, "rss": 0.0, "vms": 0.0}
        self._current = dict(self._max)
        self._start_time = processes.start_time(os.getpid())
        self.out_of_memory = False
        self._write()

    def run(self):
        while not self._stopped.wait(gs.PLOGGING_INTERVAL):
            self._measure()
            grown = self._max["rss"] > self._written_rss * (1 + gs.PLOGGING_MIN_CHANGE)
            if grown or time.monotonic() - self._written > gs.PLOGGING_UPDATE_FILE_PERIOD:
                self._write_if_possible()
                if not gs.PLOGGING_QUIET and grown:
                    logging.info("Run time: %s %s", self._run_time(), _as_text(self._current))

    def stop(self):
        """Last measurement and write; logs the maximum."""
        self._stopped.set()
        if self.ident:
            self.join()
        self._measure()
        self._write_if_possible()
        if not gs.PLOGGING_QUIET:
            logging.info("Max resources: Run time: %s %s", self._run_time(), _as_text(self._max))

    def _measure(self):
        self._current = self._used()
        for key, value in self._current.items():
            self._max[key] = max(self._max.get(key, 0.0), value)

    def _used(self):
        if time.monotonic() - self._begin < gs.PLOGGING_INTERVAL:  # a short task, loading psutil would double its time
            with contextlib.suppress(OSError):
                return used_by_this_process()
        import psutil

        try:
            used = self._engine.get_job_used_resources(psutil.Process())
            self._history.add(psutil.Process(), used["rss"])
            return used
        except psutil.Error as e:
            logging.debug("cannot measure this process: %s", e)
            return self._current

    def _run_time(self):
        seconds = int(time.monotonic() - self._begin)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def _write_if_possible(self):
        """Where the disk is full for a while, the task is not to fail because of this file."""
        try:
            self._write()
        except OSError as e:
            logging.warning("what the task uses cannot be written: %s", e)

    def _write(self):
        self._written = time.monotonic()
        content = {
            "current": self._current,
            "current_time": time.ctime(),
            "host": processes.hostname(),
            "max": self._max,
            "out_of_memory": self.out_of_memory,
            "pid": os.getpid(),
            "requested_resources": self._rqmt,
            "start_time": self._start_time,
            "used_time": (time.monotonic() - self._begin) / 3600,
            "user": (_user(),),
        }
        lines = ",\n ".join(f"{key!r}: {value!r}" for key, value in content.items())
        write_atomically(self._filename, f"{{{lines}}}\n")
        if time.monotonic() - self._begin > gs.PLOGGING_UPDATE_FILE_PERIOD:  # shorter tasks need no second file
            self._history.write()
        self._written_rss = self._max["rss"]


def _user():
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container for an id without a name
        return str(os.getuid())


def usage_filename(jobdir, task_name, task_id, number, kind=gc.PLOGGING_FILE):
    """``number``: which of several processes that run the task id together, on as many nodes."""
    return f"{jobdir}/{kind}.{task_name}.{task_id}" + (f".{number}" if number else "")


def _requested(submit_log, task_id):
    """Requirements of the newest submission of this id."""
    for ids, rqmt in reversed(read_submissions(submit_log)):
        if task_id in ids:
            record = ("engine_info", "engine_name", "completed_fraction", "ended")
            return {k: v for k, v in rqmt.items() if k not in record}
    return {}


def read_submissions(filename):
    """Lines ``(ids, rqmt)`` of a submit log; none if there is no file. Half a line, of a full disk, does not count."""
    submissions = []
    with contextlib.suppress(FileNotFoundError), open(filename, encoding="utf-8") as f:
        for line in f:
            with contextlib.suppress(ValueError, SyntaxError):
                submissions.append(ast.literal_eval(line))
    return submissions


def read_usage(filename):
    """Content of a usage file, ``{}`` if there is none."""
    try:
        with open(filename, encoding="utf-8") as f:
            usage = ast.literal_eval(f.read())
    except (FileNotFoundError, ValueError, SyntaxError):
        return {}
    if "start_time" not in usage and usage.get("host") == processes.hostname():  # upstream wrote it
        usage["start_time"] = _start_time_of_writer(usage)
    return usage


def _start_time_of_writer(usage):
    """None if the process with the writer's id is a later one."""
    import psutil

    with contextlib.suppress(KeyError, ValueError, psutil.Error):
        if psutil.Process(usage["pid"]).create_time() < time.mktime(time.strptime(usage["current_time"])) + 1:
            return processes.start_time(usage["pid"])
    return None


def recently_active(usage, usage_file, log):
    """Whether the files of a task were written so recently that it may run on another host."""
    age = gs.WAIT_PERIOD_JOB_FS_SYNC + gs.PLOGGING_UPDATE_FILE_PERIOD + gs.WAIT_PERIOD_JOB_CLEANUP
    times = [os.path.getmtime(name) for name in (usage_file, log) if os.path.exists(name)]
    return bool(usage and times) and time.time() - max(times) < age


def runs_here(usage):
    """Whether the process that a usage file names runs on this host; None if the file names another host."""
    if usage.get("host") != processes.hostname() or "start_time" not in usage:
        return None
    return processes.is_running(usage["pid"], usage["start_time"])


def _as_text(use):
    return f"CPU: {use['cpu']:.1f}% RSS: {use['rss'] * 1024:.0f}MB VMS: {use['vms'] * 1024:.0f}MB"


def used_by_this_process():
    """The same as `used_by_process_tree` of this process and its children that have ended; its largest sizes.

    Raises `OSError` on systems without /proc.
    """
    with open("/proc/self/status", encoding="utf-8") as f:
        kib = dict(line.split()[:2] for line in f if line.startswith("Vm"))
    with open("/proc/self/stat", "rb") as f:
        started = int(f.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    alive = max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 1e-3)
    cpu = round(100 * sum(os.times()[:4]) / alive, 1)
    return {"cpu": cpu, "rss": int(kib["VmHWM:"]) * 1024 / _GB, "vms": int(kib["VmPeak:"]) * 1024 / _GB}


def used_by_process_tree(process):
    """CPU (percent), resident and virtual memory (GB) of a `psutil.Process` and its children."""
    import psutil

    total = {"cpu": 0.0, "rss": 0.0, "vms": 0.0}
    for p in [process, *process.children(recursive=True)]:
        try:
            memory = p.memory_info()
            times = p.cpu_times()
            alive = max(time.time() - p.create_time(), 1e-3)
        except psutil.Error:
            continue  # it has just ended
        total["cpu"] += round(100 * (times.user + times.system) / alive, 1)
        total["rss"] += memory.rss / _GB
        total["vms"] += memory.vms / _GB
    return total
