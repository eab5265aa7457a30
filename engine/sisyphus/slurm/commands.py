"""The commands of Slurm: how to call them, how to read their answers, and which refusals are temporary."""

import contextlib
import math
import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass

from .. import global_settings as gs

ANSWER = 30  # seconds that squeue, sacct and scontrol get
SEPARATOR = "\x1f"
_FIELDS = ("ArrayJobID", "ArrayTaskID", "State", "Reason", "exit_code", "NodeList", "Comment", "WorkDir", "Name")
RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "STAGE_OUT", "SIGNALING", "RESIZING"}
_ENDED = {"COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "CANCELLED", "BOOT_FAIL"}
ENDED = _ENDED | {"DEADLINE", "REVOKED"}
MEMORY_KILL = re.compile(r"^slurmstepd\S*: error: .*(exceeded .*memory limit|oom.kill)", re.IGNORECASE)
FULL = re.compile(r"Submit\w*Limit\b|temporarily unable to accept job|Resource temporarily unavailable")
_NO_CONTACT = re.compile(
    r"unable to contact|timed out|connection|zero bytes|standby mode|(send|receive|socket) (failure|error)"
    r"|unable to (resolve|connect)|I/O error|not connected|authentic|munge",
    re.IGNORECASE,
)


class CommandFailed(Exception):
    """A command ended with an error, which is the text."""


class NoAnswer(CommandFailed):
    """The scheduler did not answer: a command that changes something may have had its effect."""


class QueueFull(CommandFailed):
    """A limit on the number of submitted jobs."""


@dataclass(frozen=True)
class Record:
    """What Slurm says of one task of an array job. ``status``: raw wait status of its script."""

    job: int
    index: int
    state: str
    reason: str = "None"
    status: int = 0
    nodes: str = ""
    token: str = ""  # of the submission, see `comment`
    task_id: int = 0
    folder: str = ""
    name: str = ""

    @property
    def active(self):
        return self.state not in ENDED  # other versions of Slurm have other words for what has not

    def __str__(self):
        return f"{self.state}, Slurm job {self.job}_{self.index}" + (f" on {self.nodes}" if self.nodes else "")


# calls -------------------------------------------------------------------------------------------------------------
def run(command, seconds, gateway=None):
    """Output of ``command``. Raises `CommandFailed`, `NoAnswer` also when it takes longer than ``seconds``."""
    if gateway:
        there = f"cd {shlex.quote(gs.BASE_DIR)} && {shlex.join(command)}"
        command = ["ssh", "-x", gateway, "-o", "BatchMode=yes", there]
    pipe = subprocess.PIPE
    try:  # a session of its own: Ctrl-C does not reach it, and what it starts can be ended with it
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            errors="replace",  # other projects may have any names
            env=environment(),
            start_new_session=True,
        )
    except OSError as e:
        raise CommandFailed(f"cannot run {command[0]}: {e.strerror}") from None
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        errors = ""
        with contextlib.suppress(subprocess.TimeoutExpired):  # what left its session may hold the pipe for long
            errors = process.communicate(timeout=1)[1]
        said = "".join(f"; {line}" for line in errors.splitlines())
        raise NoAnswer(f"{command[0]} did not end within {seconds} s{said}") from None
    if process.returncode:
        lines = (errors or output).splitlines() or [f"{command[0]} ended with status {process.returncode}"]
        text = "; ".join(line.removeprefix(f"{command[0]}: error: ") for line in lines)
        if FULL.search(text):
            raise QueueFull(text)
        lost = process.returncode < 0 or (gateway and process.returncode == 255)  # 255 is ssh's own
        raise NoAnswer(text) if lost or _NO_CONTACT.search(text) else CommandFailed(text)
    return output


def environment():
    """The environment without variables of a Slurm job around the manager, and without a user's views of the queue."""
    needed = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"}
    other = {k for k in os.environ if k.startswith(("SLURM_", "SQUEUE_", "SACCT_"))} - needed
    return {k: v for k, v in os.environ.items() if k not in other | {"CUDA_VISIBLE_DEVICES"}}


def squeue_call(user):
    fields = ",".join(f"{name}:{SEPARATOR}" for name in _FIELDS)
    return ["squeue", "--noheader", "--all", "--array", "--states=all", "-u", user, "-O", fields]


def sacct_call(job):
    return ["sacct", "-n", "-P", "-j", str(job), "--format=JobID,State,ExitCode,NodeList"]


def sbatch_call(name, logpath, command, rqmt, task_ids, offset, token, memory):
    """The array job of ``task_ids``; index in the array + ``offset`` is the id. ``memory``: see `SlurmEngine`."""
    nodes = int(rqmt.get("multi_node_slots") or 1)
    cpus = f"--cpus-per-task={math.ceil(rqmt.get('cpu') or 1)}"
    log = logpath.replace("%", "%%") + "/%x.%A.%a"
    call = ["sbatch", "--parsable", "-J", name, "--no-requeue", "--export=ALL", f"--chdir={gs.BASE_DIR}"]
    call += [f"--nodes={nodes}", f"--ntasks={nodes}", cpus]
    call += [f"--time={max(1, math.ceil(rqmt['time'] * 60 - 1e-6))}"]
    if memory:
        call.append(f"--mem{'-per-cpu' if memory == 'cpu' else ''}={math.ceil(rqmt['mem'] * 1024)}M")
    if rqmt.get("gpu"):
        kind = f"{rqmt['gpu_name']}:" if rqmt.get("gpu_name") else ""
        call.append(f"--gres=gpu:{kind}{math.ceil(rqmt['gpu'])}")
    call += [f"--{key}={rqmt[key]}" for key in ("partition", "account") if rqmt.get(key)]
    if rqmt.get("exclude_nodes"):
        call.append("--exclude=" + ",".join(rqmt["exclude_nodes"]))
    call += as_arguments(rqmt.get("sbatch_args"))
    script = "exec " + shlex.join(command) + (f" $((SLURM_ARRAY_TASK_ID + {offset}))" if offset else "")
    if nodes > 1:
        script = f"exec srun --kill-on-bad-exit=1 {cpus} -o {shlex.quote(log + '.%t')} {script.removeprefix('exec ')}"
        log += ".batch"
    return [*call, "-o", log, f"--comment=sis:{token}:{offset}", "-a", ranges(task_ids, offset), f"--wrap={script}"]


def as_arguments(value):
    """``sbatch_args`` of settings and requests: a list, or one text."""
    return shlex.split(value) if isinstance(value, str) else list(value or ())


def ranges(task_ids, offset=0):
    """``[1, 2, 3, 7]`` -> ``1-3,7``."""
    runs = []
    for i in sorted(t - offset for t in task_ids):
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in runs)


# answers -----------------------------------------------------------------------------------------------------------
def parse_queue(text):
    """Records of the array tasks in the output of `squeue_call`."""
    records = []
    for line in text.splitlines():
        fields = line.split(SEPARATOR)
        if len(fields) <= len(_FIELDS) - 1 or not fields[1].isdigit():
            continue  # no array job, so not ours
        job, index, state, reason, status, nodes, comment, folder, name = (f.strip() for f in fields[: len(_FIELDS)])
        token, offset = _of_comment(comment)
        numbers = int(job), int(index), int(status) if status.isdigit() else 0
        records.append(
            Record(numbers[0], numbers[1], state, reason, numbers[2], nodes, token, numbers[1] + offset, folder, name)
        )
    return records


def _of_comment(comment):
    match = re.fullmatch(r"sis:(\w+):(\d+)", comment)
    return (match[1], int(match[2])) if match else ("", 0)


def parse_accounting(text):
    """``index -> Record`` of the array tasks that have ended, from the output of `sacct_call`."""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(\d+)_(\d+)(\.\w+)?\|(\w+)[^|]*\|(\d+):(\d+)\|(.*)", line.strip())
        if match is None or match[4] not in ENDED:
            continue
        job, index, step, state, code, number, nodes = match.groups()
        status = int(code) << 8 | int(number)
        if not step or (state == "OUT_OF_MEMORY" and int(index) in found):  # sometimes only a step says so
            nodes = nodes.replace("None assigned", "")
            found[int(index)] = Record(int(job), int(index), state, status=status, nodes=nodes)
    return found


def parse_submission(text):
    """The job id that ``sbatch --parsable`` printed. Raises `NoAnswer`."""
    for line in reversed(text.splitlines()):
        if match := re.fullmatch(r"(\d+)(;\S*)?", line.strip()):
            return int(match[1])
    raise NoAnswer(f"sbatch printed no job id but {text!r}")


def max_array_size(text):
    """Largest index of an array + 1, from ``scontrol show config``."""
    match = re.search(r"^MaxArraySize\s*=\s*(\d+)", text, re.MULTILINE)
    return int(match[1]) if match else 1001
