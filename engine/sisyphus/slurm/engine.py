"""`SlurmEngine`: every task is an array job of Slurm, submitted and watched with Slurm's own commands."""

import functools
import logging
import os
import shutil
import sys
import time
import uuid

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout, processes
from ..base.refusal import ConfigError
from ..engine import DeferSubmission, EngineBase, ImpossibleRequest
from ..task import normalised
from . import claim, commands
from .commands import CommandFailed, NoAnswer, QueueFull
from .end import Accounts, record_end
from .queue import Queue

SUBMISSION = 60  # seconds that sbatch gets
PAUSE = 60  # seconds without submissions after one that did not get through
SETTLE = 5  # seconds after which a submission without an answer shows in the queue, or never will
_TOO_LITTLE = {"time": "TIMEOUT", "mem": "OUT_OF_MEMORY"}


class SlurmEngine(EngineBase):
    """Tasks run where Slurm puts them. This machine has Slurm's commands, or ``gateway`` names one that has (by ssh).

    ``default_rqmt``: requirements that tasks do not name. ``partition``, ``account``, ``sbatch_args`` (list or text):
    for every submission; tasks name more in ``rqmt``. ``max_jobs``: the most array tasks of this folder in the queue.
    ``limits``: ``{"mem": GB, "time": hours}``, the largest request: a task that asks for more is an error, and requests
    are raised up to it after an interruption. ``memory``: request it per ``"node"``, per ``"cpu"``, or (None) not at
    all. ``job_name``: turns a task's name into Slurm's.
    """

    def __init__(
        self,
        default_rqmt=None,
        *,
        partition=None,
        account=None,
        sbatch_args=(),
        gateway=None,
        max_jobs=None,
        limits=None,
        memory="node",
        job_name=str,
    ):
        self.default_rqmt = {"cpu": 1, "mem": 1, "time": 1, **(default_rqmt or {})}
        self.default_rqmt.update({k: v for k, v in (("partition", partition), ("account", account)) if v})
        self.sbatch_args = commands.as_arguments(sbatch_args)
        self.gateway = gateway
        self.max_jobs = max_jobs
        self.limits = normalised(limits or {})
        self.memory = memory
        self.job_name = job_name
        self.queue = Queue(gateway)
        self._paused_until = 0.0
        self._pause_noticed = False
        self._unsure = {}  # (name, id) -> (token, when) of a submission that may have got through
        self._largest = None  # the most ids in one submission that the cluster accepted
        self._logged = set()  # jobs that are in a submit log
        self._accounts = Accounts(gateway)

    # manager -------------------------------------------------------------------------------------------------------
    def start_engine(self):
        if not self.gateway and shutil.which("sbatch") is None:
            raise ConfigError("no sbatch on this machine: install Slurm's commands, or name a gateway")
        self.queue.start()

    def stop_engine(self):
        """Submitted tasks go on and are found again by the next manager."""
        self.queue.stop()

    def set_wake(self, wake):
        self.queue.wake = wake

    def get_default_rqmt(self, task):
        return self.default_rqmt

    @functools.cached_property
    def _array_size(self):
        try:
            text = commands.run(["scontrol", "show", "config"], commands.ANSWER, self.gateway)
        except CommandFailed:
            text = ""
        return commands.max_array_size(text)

    # states --------------------------------------------------------------------------------------------------------
    def _name(self, task):
        return self._job_name(task.task_name())

    def _job_name(self, task_name):
        return self.job_name(task_name).replace("/", ".")

    def task_state(self, task, task_id):
        if not self.queue.answered():
            started = task.submissions() or os.path.exists(task.path(layout.LOG, task_id))
            return gc.STATE_QUEUE if started else gc.STATE_UNKNOWN
        name = self._name(task)
        if self.queue.expected(name, task_id):
            return gc.STATE_QUEUE
        record = self.queue.get(name, task_id)
        if record is None:
            return gc.STATE_UNKNOWN
        if record.active or record.token == self._unsure.get((name, task_id), (None, 0))[0]:
            self._adopt(task, record)
        if not record.active:
            return gc.STATE_RUNNING if self._settling(task, record) else gc.STATE_UNKNOWN
        if record.state in commands.RUNNING:
            return gc.STATE_RUNNING
        return gc.STATE_QUEUE_ERROR if "held" in record.reason.lower() else gc.STATE_QUEUE

    def _settling(self, task, record):
        """Whether files that the task wrote last may not be seen here yet."""
        remote = processes.on_network_filesystem(task.job._sis_path(abspath=True))
        return remote and self.queue.seconds_since_end(record) < gs.WAIT_PERIOD_JOB_FS_SYNC

    def in_hand(self, task):
        name = self._name(task)
        states = set()
        for i in task.task_ids():
            if self.queue.expected(name, i):
                continue
            record = self.queue.get(name, i)
            if record is None or not (record.active and record.job in self._logged and self.queue.fresh()):
                return None
            if record.state == "COMPLETING" or "held" in record.reason.lower():
                return None  # a task that has ended, whose node may be busy for long; or one that waits for a person
            states.add(record.state)
        return gc.STATE_RUNNING if states & commands.RUNNING else gc.STATE_QUEUE

    def _adopt(self, task, record):
        """Write the line of the submit log that is missing after a killed manager or a submission without an answer."""
        if record.job in self._logged:
            return
        self._logged.add(record.job)
        self._unsure = {key: sent for key, sent in self._unsure.items() if sent[0] != record.token}
        if any(record.job == job for _, entry in task.submissions() for _, job in _jobs(entry)):
            return
        ids = self.queue.of_job(record.name, record.job)
        rqmt = self.with_origin(task, self.get_rqmt(task, record.task_id))
        task.log_submission(ids, rqmt, "slurm", [(ids, str(record.job))])
        logging.info("%s %s is in the queue already (Slurm job %s)", task.task_name(), ids, record.job)

    # end of a task -------------------------------------------------------------------------------------------------
    def _end(self, task, task_id):
        """The `Record` of the last submission of the id if that has ended, else None."""
        submitted = [entry for ids, entry in task.submissions() if task_id in ids]
        jobs = [job for ids, job in _jobs(submitted[-1]) if task_id in ids] if submitted else []
        if not jobs or self.queue.expected(self._name(task), task_id):
            return None
        record = self.queue.get(self._name(task), task_id)
        if record is not None and record.active:
            return None
        if record is None or record.job != jobs[-1]:
            record = self._accounts.get(jobs[-1], task_id % self._array_size)
        return record and record_end(task, task_id, record, self._name(task))

    def ended(self, task, task_id):
        record = self._end(task, task_id)
        return record.state if record else None

    def remark(self, task, task_id):
        record = self.queue.get(self._name(task), task_id)
        if record is not None and record.active:
            return f"{record.reason}, Slurm job {record.job}_{record.index}" if record.reason != "None" else ""
        record = self._end(task, task_id)
        return str(record) if record else ""

    def get_task_termination_info(self, task, task_id, submit_info):
        cause = self.ended(task, task_id)
        info = {"ended": cause} if cause else {}
        if cause == _TOO_LITTLE["time"]:
            info["out_of_time"] = True
        if cause == _TOO_LITTLE["mem"]:
            info["out_of_memory"] = True
        return info

    # submission ----------------------------------------------------------------------------------------------------
    def get_rqmt(self, task, task_id, update=True):
        """Raised requests stop at the limits. Raises `ImpossibleRequest` if one at its limit was not enough."""
        asked = self.of_recipe(task)
        for key in ("cpu", "gpu"):
            if not isinstance(asked.get(key) or 0, (int, float)):
                raise ImpossibleRequest(f"{task.task_name()} asks for {key}={asked[key]!r}, which is not a number")
        rqmt = super().get_rqmt(task, task_id, update)
        for key, most in self.limits.items():
            if asked.get(key, 0) <= most < rqmt.get(key, 0):
                rqmt[key] = most
                self._give_up_if_reached(task, task_id, key, most)
        return rqmt

    def _give_up_if_reached(self, task, task_id, key, most):
        cause = self.ended(task, task_id)
        if cause is None or cause != _TOO_LITTLE.get(key):
            return
        last = [entry for ids, entry in task.submissions() if task_id in ids][-1]
        progress = (task.completed_fraction() or 0) > (last.get("completed_fraction") or 0)
        if last[key] >= most and not progress:
            raise ImpossibleRequest(
                f"{task.task_name()} {task_id} ended by {cause} with {key}={last[key]:g}, and the engine of the "
                f"settings has limits={{{key!r}: {most:g}}}: raise the limit, or make the task smaller"
            )

    def check_request(self, rqmt, task):
        for key, most in self.limits.items():
            if rqmt.get(key, 0) > most:
                raise ImpossibleRequest(
                    f"{task.task_name()} asks for {key}={rqmt[key]:g}, but the engine of the settings has "
                    f"limits={{{key!r}: {most:g}}}: change the task's rqmt or the limits"
                )

    def batch(self, rqmt, task_ids):
        """The first ids that fit into one array and into the queue."""
        block = task_ids[0] // self._array_size
        ids = [i for i in task_ids if i // self._array_size == block][: self._largest]
        return ids if self.max_jobs is None else ids[: max(0, self.max_jobs - self.queue.active())]

    def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
        job_name = self._job_name(name)
        keys = [(job_name, i) for i in task_ids]
        if time.monotonic() < self._paused_until or not self.queue.answered() or any(map(self._got_through, keys)):
            raise DeferSubmission
        token = uuid.uuid4().hex[:12]
        offset = task_ids[0] // self._array_size * self._array_size
        rqmt = {**rqmt, "sbatch_args": self.sbatch_args + commands.as_arguments(rqmt.get("sbatch_args"))}
        command = commands.sbatch_call(job_name, logpath, call, rqmt, task_ids, offset, token, self.memory)
        try:
            job = commands.parse_submission(commands.run(command, SUBMISSION, self.gateway))
        except QueueFull as e:
            self._queue_full(len(task_ids), e)
        except NoAnswer as e:
            self._unsure.update(dict.fromkeys(keys, (token, time.monotonic())))
            if commands.FULL.search(str(e)):  # sbatch waits for room, which may do for fewer
                self._largest = max(1, len(task_ids) // 2)
            self.queue.keep_looking(SETTLE)
            self._pause(f"{e}; it is looked for in the queue before it is submitted again")
        except CommandFailed as e:
            raise ImpossibleRequest(f"sbatch refuses {name}: {e}; the request was {_request_as_text(rqmt)}") from None
        self._pause_noticed = False
        if self._largest:
            self._largest *= 2
        self.queue.expect(job_name, task_ids, job)
        return "slurm", [(list(task_ids), str(job))]

    def _got_through(self, key):
        """Whether an earlier submission of the id may have reached Slurm; if it has, the queue shows it."""
        if key not in self._unsure:
            return False
        token, when = self._unsure[key]
        if self.queue.asked < when + SETTLE and (time.monotonic() < when + SETTLE or not self.queue.look()):
            return True
        if token in self.queue.tokens:
            return True
        del self._unsure[key]
        return False

    def _queue_full(self, count, error):
        """Try with fewer ids; when not even one gets through, later."""
        if count == 1:
            self._pause(error)
        self._largest = count // 2
        self.queue.wake()
        raise DeferSubmission

    def _pause(self, why):
        if not self._pause_noticed:
            logging.warning("submissions wait: %s; the next attempt is in %s s", why, PAUSE)
            self._pause_noticed = True
        self._paused_until = time.monotonic() + PAUSE
        raise DeferSubmission

    # worker --------------------------------------------------------------------------------------------------------
    def get_task_id(self, task_id):
        return int(os.environ["SLURM_ARRAY_TASK_ID"]) if task_id is None else task_id

    def claim(self, prefix, task_name, task_id):
        if not claim.claim_task(prefix, task_name, task_id):
            return False
        sys.stdout.reconfigure(line_buffering=True)
        return True

    def process_number(self):
        return claim.rank()

    def init_worker(self, task):
        if not task.rqmt().get("gpu"):
            os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # a task sees no GPU unless Slurm gave it some
        if claim.rank():
            task.continuable = True  # of several processes the first one says that the task is finished


def _jobs(entry):
    """``[(ids, job)]`` of a line of the submit log, empty if another engine wrote it.

    Upstream writes lists of numbers there, and None for a submission that failed.
    """
    if entry.get("engine_name") != "slurm":
        return []
    jobs = ((ids, job[0] if isinstance(job, list) else job) for ids, job in entry["engine_info"])
    return [(ids, int(job)) for ids, job in jobs if job is not None]


def _request_as_text(rqmt):
    return ", ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in sorted(rqmt.items()) if v)
