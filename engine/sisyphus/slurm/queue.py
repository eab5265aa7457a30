"""The last answer of ``squeue`` about this folder's jobs. A thread asks again while one of them is active."""

import collections
import logging
import os
import pwd
import threading
import time

from .. import global_settings as gs
from ..base.services import Service
from .commands import ANSWER, CommandFailed, parse_queue, run, squeue_call

REMINDER = 300  # seconds between warnings that the scheduler does not answer
_NEVER_STARTS = (
    *("Partition", "ReqNodeNotAvail", "Nodes required for job", "NodeDown", "BadConstraints", "Invalid"),
    *("AccountNotAllowed", "QOSNotAllowed", "QOSMaxWallDurationPerJobLimit", "AssocMaxWallDurationPerJobLimit"),
    "DependencyNeverSatisfied",
)


class Queue:
    """``records``: (job name, task id) -> `Record` of its newest Slurm job, active ones first."""

    def __init__(self, gateway=None):
        self._gateway = gateway
        self._lock = threading.RLock()
        self.records = {}
        self.tokens = set()
        self._expected = {}  # submitted after the last look: key -> (job, when)
        self._ended_since = {}  # record -> when it was first seen ended
        self.asked = None  # when the last answer was asked for
        self._tried = -1e9
        self._reminded = -REMINDER
        self._failing = False
        self._look_until = 0.0
        self._stuck = set()
        self._stopped = threading.Event()
        self.wake = lambda: None

    # thread --------------------------------------------------------------------------------------------------------
    def start(self):
        stopped = self._stopped = threading.Event()  # of this run: a console may start several
        Service("squeue", lambda: self._watch(stopped)).start()

    def stop(self):
        self._stopped.set()

    def _watch(self, stopped):
        while not stopped.wait(gs.WAIT_PERIOD_QSTAT_PARSING):
            if self.active() or self._failing or time.monotonic() < self._look_until:
                try:
                    self.look()
                except Exception as e:  # as when no file can be opened: the next look may succeed
                    self._remind(e)

    def keep_looking(self, seconds):
        """Something may appear in the queue."""
        self._look_until = time.monotonic() + seconds + 2 * gs.WAIT_PERIOD_QSTAT_PARSING

    # asking --------------------------------------------------------------------------------------------------------
    def look(self):
        """Ask now; returns whether there was an answer. Without one, the last answer stays."""
        self._tried = begin = time.monotonic()
        try:
            text = run(squeue_call(_user()), ANSWER, self._gateway)
        except CommandFailed as e:
            self._tried = time.monotonic()
            self._remind(e)
            return False
        if self._failing:
            logging.warning("squeue answers again")
            self._failing, self._reminded = False, -REMINDER
        records = parse_queue(text)
        here = os.path.realpath(gs.BASE_DIR)
        ours = {folder for folder in {r.folder for r in records} if os.path.realpath(folder) == here}
        records = [r for r in records if r.folder in ours]
        if self._take(records, begin):
            self.wake()
        return True

    def answered(self):
        """Whether there was ever an answer; asks if not, now and then."""
        due = time.monotonic() - self._tried > gs.WAIT_PERIOD_QSTAT_PARSING
        return self.asked is not None or (due and self.look())

    def fresh(self):
        """Whether the last answer is recent, or nothing can have changed since."""
        return self.asked is not None and time.monotonic() - self.asked < 2 * gs.WAIT_PERIOD_QSTAT_PARSING + ANSWER

    def _remind(self, error):
        self._failing = True
        now = time.monotonic()
        if now - self._reminded < REMINDER:
            return
        self._reminded = now
        states = "states of jobs are not known" if self.asked is None else f"states are {now - self.asked:.0f} s old"
        logging.warning("squeue: %s; %s, and nothing is taken as ended", error, states)

    def _take(self, records, begin):
        """Use an answer; returns whether a state changed."""
        best = {}
        for record in records:
            key = record.name, record.task_id
            if key not in best or _rank(record) > _rank(best[key]):
                best[key] = record
        with self._lock:
            if self.asked is not None and begin < self.asked:
                return False  # a later answer has overtaken this one
            changed = {k: r.state for k, r in best.items()} != {k: r.state for k, r in self.records.items()}
            self.records, self.asked = best, begin
            self.tokens = {record.token for record in records}
            self._expected = {k: e for k, e in self._expected.items() if e[1] >= begin}
            ended = [record for record in best.values() if not record.active]
            self._ended_since = {record: self._ended_since.get(record, begin) for record in ended}
        self._notice_stuck(best.values())
        return changed

    def _notice_stuck(self, records):
        waiting = collections.defaultdict(list)
        for r in records:
            if r.active and r.reason.startswith(_NEVER_STARTS):
                waiting[r.reason].append(r)
        for reason, stuck in waiting.items():
            if reason not in self._stuck:
                first = f"{stuck[0].name} {stuck[0].task_id} (Slurm job {stuck[0].job})"
                more = f" and {len(stuck) - 1} more tasks" if len(stuck) > 1 else ""
                logging.warning("%s%s: in the queue, but cannot start: %s", first, more, reason)
        self._stuck = set(waiting)

    # knowing -------------------------------------------------------------------------------------------------------
    def expect(self, name, task_ids, job):
        """These were submitted now, and are in the queue until an answer says more."""
        with self._lock:
            self._expected.update({(name, i): (job, time.monotonic()) for i in task_ids})

    def expected(self, name, task_id):
        return (name, task_id) in self._expected

    def get(self, name, task_id):
        """Record of the newest job, None if there is none or it was submitted after the last answer."""
        with self._lock:
            return None if (name, task_id) in self._expected else self.records.get((name, task_id))

    def of_job(self, name, job):
        """The ids of ``name`` that run as ``job``."""
        with self._lock:
            return sorted(i for (n, i), r in self.records.items() if n == name and r.job == job)

    def seconds_since_end(self, record):
        return time.monotonic() - self._ended_since.get(record, -1e9)

    def active(self):
        """Number of tasks in the queue or running."""
        with self._lock:
            return sum(r.active for k, r in self.records.items() if k not in self._expected) + len(self._expected)


def _user():
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # no directory of users answers
        return str(os.getuid())


def _rank(record):
    return record.active, record.state == "RUNNING", record.job
