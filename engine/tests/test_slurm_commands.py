"""What the commands of Slurm are given and what is read from their answers (lines in the form of Slurm 22.05)."""

import os
import signal

import pytest
from patience import PATIENCE, wait_until
from sisyphus.base import processes
from sisyphus.slurm import commands
from sisyphus.slurm.commands import CommandFailed, NoAnswer, QueueFull, Record
from slurm_fake import FakeSlurm

QUEUE = """\
1|7|PENDING|Resources|0||sis:abc:0|/data/setup|kinds.Slow.x.run|
1|1|RUNNING|None|0|vm|sis:abc:0|/data/setup|kinds.Slow.x.run|
8|N/A|FAILED|NonZeroExitCode|32512|vm|(null)|/home/me|wrap|
9|1|FAILED|JobLaunchFailure|9|vm|(null)|/tmp|mem|
12|4|RUNNING|None|0|vm|sis:f00:1001|/data/setup|kinds.Slow.x.run|
13|0|PENDING|ReqNodeNotAvail, UnavailableNodes:vm|0||mine | too|/a b|odd|name|
slurm_load_jobs: something else
""".replace("|\n", "\x1f\n").replace("|", "\x1f")

ACCOUNTING = """\
20_1|COMPLETED|0:0|vm
20_1.batch|COMPLETED|0:0|vm
20_2|CANCELLED by 1000|0:15|vm
20_3|FAILED|0:9|vm
20_10|OUT_OF_MEMORY|0:125|vm
20_10.batch|OUT_OF_MEMORY|0:125|vm
20_3.batch|OUT_OF_MEMORY|0:125|vm
20_4|RUNNING|0:0|vm
20_4.0|COMPLETED|0:0|vm
20_5|TIMEOUT|0:0|None assigned
20_[6-9]|PENDING|0:0|None assigned
"""


def test_queue():
    records = commands.parse_queue(QUEUE)
    assert [(r.job, r.index, r.task_id, r.state, r.token) for r in records][:4] == [
        (1, 7, 7, "PENDING", "abc"),
        (1, 1, 1, "RUNNING", "abc"),
        (9, 1, 1, "FAILED", ""),
        (12, 4, 1005, "RUNNING", "f00"),
    ]
    assert records[2].status == 9 and not records[2].active and records[0].active
    assert records[1].folder == "/data/setup" and records[1].name == "kinds.Slow.x.run"
    assert str(records[2]) == "FAILED, Slurm job 9_1 on vm"


def test_accounting():
    found = commands.parse_accounting(ACCOUNTING)
    assert {i: r.state for i, r in found.items()} == {
        1: "COMPLETED",
        2: "CANCELLED",
        3: "OUT_OF_MEMORY",
        10: "OUT_OF_MEMORY",
        5: "TIMEOUT",
    }
    assert found[2].status == 15 and found[5].nodes == ""
    assert commands.parse_accounting("") == {}


@pytest.mark.parametrize(("text", "job"), [("17\n", 17), ("17;cluster\n", 17), ("site: be nice\n18\n", 18)])
def test_submission(text, job):
    assert commands.parse_submission(text) == job


def test_submission_without_an_id():
    with pytest.raises(NoAnswer, match="printed no job id but 'hello'"):
        commands.parse_submission("hello")


def test_array_size():
    assert commands.max_array_size("MaxArraySize            = 501\nMaxJobCount = 10000\n") == 501
    assert commands.max_array_size("") == 1001


def test_ranges():
    assert commands.ranges([1]) == "1"
    assert commands.ranges([3, 1, 2, 7]) == "1-3,7"
    assert commands.ranges([1002, 1003, 1009], 1001) == "1-2,8"


def call(rqmt, task_ids=(1,), offset=0, memory="node"):
    rqmt = {"cpu": 1, "mem": 1.0, "time": 1.0, **rqmt}
    command = ["sis", "worker", "work/a b", "run"]
    return commands.sbatch_call("x.run", "/data/50%/engine", command, rqmt, task_ids, offset, "abc", memory)


@pytest.mark.parametrize(
    ("rqmt", "option"),
    [
        ({"cpu": 3}, "--cpus-per-task=3"),
        ({"mem": 0.3}, "--mem=308M"),
        ({"time": 1.51}, "--time=91"),
        ({"time": 0.001}, "--time=1"),
        ({"gpu": 2}, "--gres=gpu:2"),
        ({"gpu": 1, "gpu_name": "a100"}, "--gres=gpu:a100:1"),
        ({"multi_node_slots": 3}, "--nodes=3"),
        ({"partition": "long"}, "--partition=long"),
        ({"account": "us"}, "--account=us"),
        ({"sbatch_args": "--qos high -x 'n 1'"}, "n 1"),
        ({"sbatch_args": ["--qos=high"]}, "--qos=high"),
        ({}, "--no-requeue"),
        ({}, "--comment=sis:abc:0"),
        ({}, "--wrap=exec sis worker 'work/a b' run"),
        ({}, "/data/50%%/engine/%x.%A.%a"),
    ],
)
def test_submission_asks_for(rqmt, option):
    assert option in call(rqmt)


def test_submission_asks_for_nothing_else():
    assert not any(option.startswith(("--gres", "--partition", "--account")) for option in call({"gpu": 0}))
    assert not any(option.startswith("--mem") for option in call({}, memory=None))
    assert "--mem-per-cpu=1024M" in call({}, memory="cpu")


def test_ids_above_the_largest_index():
    """The id of the worker is then the index and what was taken off."""
    options = call({}, task_ids=[1002, 1003], offset=1001)
    assert options[options.index("-a") + 1] == "1-2" and "--comment=sis:abc:1001" in options
    assert options[-1].endswith("run $((SLURM_ARRAY_TASK_ID + 1001))")


def test_several_nodes():
    """Each process has its own log; the processes end together and get the CPUs that were asked for."""
    script = call({"multi_node_slots": 2, "cpu": 4})[-1]
    assert script.startswith("--wrap=exec srun --kill-on-bad-exit=1 --cpus-per-task=4 -o ")
    assert "%x.%A.%a.%t sis worker" in script.replace("'", "")


@pytest.fixture
def fake(tmp_path, monkeypatch):
    made = FakeSlurm(tmp_path / "fake")
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    return made


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Batch job submission failed: Requested node configuration is not available", CommandFailed),
        ("Batch job submission failed: Invalid partition name specified", CommandFailed),
        ("Batch job submission failed: Invalid account or account/partition combination specified", CommandFailed),
        ("AssocMaxSubmitJobLimit\nBatch job submission failed: Job violates accounting/QOS policy", QueueFull),
        ("QOSMaxSubmitJobPerUserLimit", QueueFull),
        ("AssocGrpSubmitJobsLimit", QueueFull),
        ("Slurm temporarily unable to accept job, sleeping and retrying", QueueFull),
        ("Batch job submission failed: Unable to contact slurm controller (connect failure)", NoAnswer),
        ("Batch job submission failed: Socket timed out on send/recv operation", NoAnswer),
        ("Batch job submission failed: Zero Bytes were transmitted or received", NoAnswer),
        ('Munge encode failed: Failed to access "/run/munge/munge.socket.2": No such file or directory', NoAnswer),
        ("Batch job submission failed: Protocol authentication error", NoAnswer),
    ],
)
def test_refusals(fake, text, kind):
    fake.fails("sbatch", text)
    with pytest.raises(CommandFailed) as caught:
        commands.run(["sbatch"], PATIENCE)
    assert caught.type is kind and str(caught.value) == text.replace("\n", "; ")


def test_command_that_hangs_is_ended_with_what_it_started(fake):
    script = fake.bin / "squeue"
    script.write_text(f"#!/bin/bash\necho $$ > {fake.bin}/pid\nsleep 100000 | cat\n")
    with pytest.raises(NoAnswer, match="squeue did not end within 0.2 s"):
        commands.run(["squeue"], 0.2)
    if (fake.bin / "pid").exists():  # else it was ended before its first command
        pid = int((fake.bin / "pid").read_text())
        wait_until(lambda: processes.start_time(pid) is None)


def test_command_that_leaves_something_behind_with_its_pipe(fake):
    """As a connection of ssh that others share; the manager does not wait for its end."""
    script = fake.bin / "squeue"
    script.write_text(f"#!/bin/bash\nsetsid sleep 100000 &\necho $! > {fake.bin}/pid\n")
    with pytest.raises(NoAnswer, match="squeue did not end within 0.2 s"):
        commands.run(["squeue"], 0.2)
    if (fake.bin / "pid").exists() and (text := (fake.bin / "pid").read_text()):
        os.kill(int(text), signal.SIGKILL)


def test_all_jobs_are_asked_for(fake, monkeypatch):
    """Also those in hidden partitions, whatever the user prefers to see of the queue."""
    assert "--all" in commands.squeue_call("me")
    for name in ("SQUEUE_PARTITION", "SACCT_FORMAT", "MINE"):
        monkeypatch.setenv(name, "1")
    (fake.bin / "squeue").write_text("#!/bin/bash\nenv\n")
    names = [line.partition("=")[0] for line in commands.run(["squeue"], PATIENCE).splitlines()]
    assert "MINE" in names and not [n for n in names if n.startswith(("SQUEUE", "SACCT"))]


def test_bytes_that_are_no_text(fake):
    """Job names of other projects, for one."""
    (fake.bin / "squeue").write_text("#!/bin/bash\nprintf 'caf\\xe9\\n'\n")
    assert commands.run(["squeue"], PATIENCE).startswith("caf")


def test_command_that_is_not_there(fake):
    with pytest.raises(CommandFailed, match="cannot run sbtch: No such file"):
        commands.run(["sbtch"], PATIENCE)


def test_gateway(fake, here):
    script = fake.bin / "ssh"
    script.write_text('#!/bin/bash\nprintf "%s|" "$@"\n')
    script.chmod(0o755)
    output = commands.run(["squeue", "-u", "a b"], PATIENCE, gateway="login1")
    assert output == f"-x|login1|-o|BatchMode=yes|cd {here} && squeue -u 'a b'|"
    script.write_text("#!/bin/bash\necho ssh: connect to host login1 port 22: No route to host >&2; exit 255\n")
    with pytest.raises(NoAnswer, match="No route to host"):
        commands.run(["sbatch"], PATIENCE, gateway="login1")


def test_a_job_is_what_squeue_shows_or_sacct():
    assert Record(3, 1, "COMPLETING").active and Record(3, 1, "REQUEUE_HOLD").active
    assert Record(3, 1, "POWER_UP_NODE").active, "a word of another version of Slurm is not taken as an end"
    assert not any(Record(3, 1, state).active for state in commands.ENDED)
