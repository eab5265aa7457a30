"""What the engine makes of the answers of Slurm: states, ends, raised requests, submissions that may have happened."""

import logging
import os
import threading

import pytest
from patience import PATIENCE
from sisyphus import Job, Task
from sisyphus.base import processes
from sisyphus.base.refusal import ConfigError
from sisyphus.engine import EngineSelector, ImpossibleRequest
from sisyphus.localengine import LocalEngine
from sisyphus.simple_linux_utility_for_resource_management_engine import SimpleLinuxUtilityForResourceManagementEngine
from sisyphus.slurm import commands as slurm_commands
from sisyphus.slurm import engine as slurm
from sisyphus.slurm import queue as slurm_queue
from sisyphus.slurm.engine import SlurmEngine
from slurm_fake import FakeSlurm


class Works(Job):
    def __init__(self, ids=1, resume=True, rqmt=None):
        self.ids = ids
        self.resume = resume
        self.rqmt = rqmt or {}
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run" if self.resume else None, rqmt=self.rqmt, args=range(self.ids))

    def run(self, number):
        """Never called here."""


@pytest.fixture
def fake(here, monkeypatch):
    made = FakeSlurm(here / "fake")
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setattr(slurm, "SETTLE", 0)
    return made


def set_up(**arguments):
    job = Works(**arguments)
    job._sis_setup_directory()
    return job._sis_tasks()[0]


def name_of(task):
    return task.task_name().replace("/", ".")


def write_log(task, job, text="", task_id=1):
    """As a worker of ``job`` does; it has not finished."""
    own = os.path.join(task.job._sis_path(), "engine", f"{name_of(task)}.{job}.{task_id}")
    with open(own, "w") as f:
        f.write(text)
    if os.path.exists(task.path("log", task_id)):
        os.unlink(task.path("log", task_id))
    os.link(own, task.path("log", task_id))


def submitted(engine, task):
    """The task was submitted as job 101 and a look at the queue is due."""
    assert engine.submit(task) == task.task_ids()
    return name_of(task)


def test_states(fake):
    task, engine = set_up(ids=3), SlurmEngine()
    assert task.state(engine) == "runnable"
    name = submitted(engine, task)
    assert [task.state(engine, i) for i in (1, 2, 3)] == ["queue"] * 3 and engine.in_hand(task) == "queue"
    fake.queue(
        (101, 1, "RUNNING", name), (101, 2, "PENDING", name, "JobHeldUser"), (101, 3, "PENDING", name, "Priority")
    )
    engine.queue.look()
    assert [task.state(engine, i) for i in (1, 2, 3)] == ["running", "queue_error", "queue"]
    assert engine.remark(task, 2) == "JobHeldUser, Slurm job 101_2" and engine.in_hand(task) is None
    fake.queue((101, 1, "COMPLETING", name), (101, 2, "PENDING", name), (101, 3, "SUSPENDED", name))
    engine.queue.look()
    assert task.state(engine) == "queue"
    fake.queue(*((101, i, "RUNNING" if i == 1 else "PENDING", name) for i in (1, 2, 3)))
    engine.queue.look()
    assert engine.in_hand(task) == "running"


def test_finished_task_on_a_node_that_cleans_up(fake):
    """The job of Slurm may be COMPLETING for hours."""
    task, engine = set_up(), SlurmEngine()
    fake.queue((101, 1, "COMPLETING", submitted(engine, task)))
    engine.queue.look()
    assert task.state(engine) == "running" and engine.in_hand(task) is None
    open(task.path("finished", 1), "w").close()
    assert task.state(engine) == "finished"


def test_only_jobs_of_this_folder(fake):
    """A clone of the project has jobs of the same names."""
    task, engine = set_up(), SlurmEngine()
    fake.queue((7, 1, "RUNNING", name_of(task)), where="/elsewhere")
    assert task.state(engine) == "runnable"
    fake.queue((7, 1, "RUNNING", name_of(task)))
    engine.queue.look()
    assert task.state(engine) == "running"


def test_user_without_a_name(fake, monkeypatch):
    """The directory of users does not answer for a while."""
    monkeypatch.setattr(slurm_queue.pwd, "getpwuid", {}.__getitem__)
    assert SlurmEngine().queue.look() and str(os.getuid()) in fake.calls("squeue")[0]


def test_newest_active_job_counts(fake):
    task, engine = set_up(), SlurmEngine()
    name = name_of(task)
    fake.queue((9, 1, "FAILED", name), (7, 1, "RUNNING", name), (8, 1, "PENDING", name))
    assert task.state(engine) == "running"


def test_no_answer_is_not_an_end(fake, caplog):
    task, engine = set_up(), SlurmEngine()
    name = submitted(engine, task)
    fake.queue((101, 1, "RUNNING", name))
    engine.queue.look()
    write_log(task, 101)
    fake.fails("squeue", "Unable to contact slurm controller (connect failure)")
    for _ in range(3):
        assert not engine.queue.look()
        assert task.state(engine) == "running"
    (message,) = [r.message for r in caplog.records if "squeue" in r.message]
    assert "connect failure" in message and "0 s old, and nothing is taken as ended" in message
    fake.works("squeue")
    fake.queue()
    with caplog.at_level(logging.INFO):
        assert engine.queue.look()
    assert "squeue answers again" in caplog.text


def test_answers_that_overtake_each_other(fake, monkeypatch):
    """A slow one, asked for before the submission, does not take back what a later one has shown."""
    task, engine = set_up(), SlurmEngine()
    name = submitted(engine, task)
    fake.queue((101, 1, "PENDING", name))

    def run(*call):
        monkeypatch.setattr(slurm_queue, "run", answer)
        assert engine.queue.look() and task.state(engine) == "queue"
        return ""

    answer = slurm_queue.run
    monkeypatch.setattr(slurm_queue, "run", run)
    assert engine.queue.look() and task.state(engine) == "queue"


def test_never_an_answer(fake):
    """What was submitted by an earlier manager is left alone, and nothing is submitted."""
    task, engine, fresh = set_up(), SlurmEngine(), set_up(ids=2)
    submitted(engine, task)
    fake.fails("squeue", "Unable to contact slurm controller")
    next_manager = SlurmEngine()
    assert task.state(next_manager) == "queue"
    assert fresh.state(next_manager) == "runnable" and next_manager.submit(fresh) == []
    assert len(fake.calls()) == 1


@pytest.mark.parametrize(
    ("state", "status", "log", "request_"),
    [
        ("TIMEOUT", 0, "", {"mem": 2.0, "time": 4.0}),
        ("OUT_OF_MEMORY", 125, "", {"mem": 4.0, "time": 2.0}),
        ("FAILED", 9, "slurmstepd: error: Exceeded job memory limit\n", {"mem": 4.0, "time": 2.0}),
        ("FAILED", 9, "slurmstepd-n: error: Detected 1 oom_kill event in StepId=1.\n", {"mem": 4.0, "time": 2.0}),
        ("FAILED", 53, "", {"mem": 2.0, "time": 2.0}),
        ("DEADLINE", 0, "", {"mem": 2.0, "time": 2.0}),
        ("CANCELLED", 15, "", {"mem": 2.0, "time": 2.0}),
        ("PREEMPTED", 15, "", {"mem": 2.0, "time": 2.0}),
        ("FAILED", 75 << 8, "", {"mem": 2.0, "time": 2.0}),
    ],
)
def test_ends(fake, state, status, log, request_):
    """Interrupted at once, said in the log, and submitted again with more of what was too little."""
    task, engine = set_up(), SlurmEngine({"mem": 2, "time": 2})
    name = submitted(engine, task)
    write_log(task, 101, "some output\n" + log)
    with open(task.path("usage", 1), "w") as f:
        f.write(repr({"host": "node7", "pid": 1, "start_time": 1, "used_time": 1.99, "max": {"rss": 1.9}}))
    fake.queue((101, 1, state, name, "None", status))
    engine.queue.look()
    assert task.state(engine) == "interrupted_resumable"
    assert task.state(engine) == "interrupted_resumable"
    cause = "OUT_OF_MEMORY" if "error" in log else state
    assert engine.remark(task, 1) == f"{cause}, Slurm job 101_1 on node7"
    with open(task.path("log", 1)) as f:
        assert f.read().count(f"ended without a result ({cause}, Slurm job 101_1 on node7") == 1
    SlurmEngine().ended(task, 1)
    rqmt = engine.get_rqmt(task, 1)
    assert {k: rqmt[k] for k in request_} == request_
    assert engine.submit(task) == [1] and task.state(engine) == "queue"
    assert task.submissions()[1][1]["ended"] == {1: cause}
    fake.queue((101, 1, state, name, "None", status), (102, 1, "RUNNING", name))
    engine.queue.look()
    assert task.state(engine) == "running"


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("status", [1 << 8, 11, 127 << 8])
def test_crash_is_an_error(fake, started, status):
    """Of the worker, or of the shell that could not start it."""
    task, engine = set_up(), SlurmEngine()
    name = submitted(engine, task)
    write_log(task, 101, "sis: command not found\n")
    if not started:
        os.unlink(task.path("log", 1))
    fake.queue((101, 1, "FAILED", name, "NonZeroExitCode", status))
    engine.queue.look()
    assert task.state(engine) == "error"
    log = open(task.path("log", 1)).read()  # noqa: SIM115
    assert "command not found" in log and ("signal SIGSEGV" in log) == (status == 11)


def test_end_of_several_processes(fake):
    """The log of the first one is that of the task; where srun started none, it is that of their script."""
    task, engine = set_up(rqmt={"multi_node_slots": 2}), SlurmEngine()
    name = submitted(engine, task)
    own = os.path.join(task.job._sis_path(), "engine", f"{name}.101.1")
    for part, text in ((".batch", "srun: error: Unable to create step"), (".0", "some output\n")):
        with open(own + part, "w") as f:
            f.write(text)
    os.link(own + ".0", task.path("log", 1))
    fake.queue((101, 1, "TIMEOUT", name))
    engine.queue.look()
    assert task.state(engine) == "interrupted_resumable"
    with open(task.path("log", 1)) as f:
        assert "ended without a result (TIMEOUT" in f.read()
    assert engine.submit(task) == [1]
    fake.queue((102, 1, "FAILED", name, "NonZeroExitCode", 256))
    engine.queue.look()
    os.rename(own + ".0", own.replace("101", "102") + ".0")
    open(task.path("error", 1), "w").close()
    task.tries = 2
    assert task.state(engine) == "runnable" and not os.path.exists(task.path("error", 1)), "it is tried again"
    assert engine.submit(task) == [1]
    os.rename(own + ".batch", own.replace("101", "103") + ".batch")
    fake.queue((103, 1, "FAILED", name, "NonZeroExitCode", 256))
    engine.queue.look()
    assert task.state(engine) == "error"
    with open(task.path("log", 1)) as f:
        assert f.read().startswith("srun: error: Unable to create step")


def test_results_count_more_than_the_queue(fake):
    task, engine = set_up(), SlurmEngine()
    name = submitted(engine, task)
    write_log(task, 101)
    fake.queue((101, 1, "TIMEOUT", name))
    engine.queue.look()
    open(task.path("finished", 1), "w").close()
    assert task.state(engine) == "finished"
    assert "without a result" not in open(task.path("log", 1)).read()  # noqa: SIM115


def test_end_on_a_network_file_system(fake, monkeypatch):
    """The marker may still be on its way."""
    monkeypatch.setattr(processes, "on_network_filesystem", lambda _: True)
    task, engine = set_up(), SlurmEngine()
    name = submitted(engine, task)
    write_log(task, 101)
    fake.queue((101, 1, "COMPLETED", name))
    engine.queue.look()
    assert task.state(engine) == "running"
    monkeypatch.setattr(slurm.gs, "WAIT_PERIOD_JOB_FS_SYNC", 0)
    assert task.state(engine) == "interrupted_resumable"


def test_end_of_an_earlier_folder(fake):
    """The job was cleared after its error; that its Slurm job failed says nothing of the new folder."""
    task, engine = set_up(), SlurmEngine()
    fake.queue((50, 1, "FAILED", name_of(task), "NonZeroExitCode", 256))
    assert task.state(engine) == "runnable"
    assert engine.submit(task) == [1]


def test_lost_node(fake):
    """The task may run on there; what the cluster does is not counted."""
    task, engine = set_up(), SlurmEngine()
    name = name_of(task)
    for number in range(101, 107):
        assert engine.submit(task) == [1]
        write_log(task, number)
        with open(task.path("usage", 1), "w") as f:
            f.write(repr({"host": "node7", "pid": 1, "start_time": 1}))
        fake.queue((number, 1, "NODE_FAIL", name))
        engine.queue.look()
        assert task.state(engine) == "running"
        for kind in ("usage", "log"):
            os.utime(task.path(kind, 1), (1, 1))
        assert task.state(engine) == "interrupted_resumable"
        os.utime(task.path("log", 1), (1, 1))
    assert task.submission_count(1, "NODE_FAIL") == 0


@pytest.mark.parametrize("started", [True, False])
def test_cancelled_again_and_again(fake, started):
    """A person's wish is counted, also in the queue."""
    task, engine = set_up(), SlurmEngine()
    name = name_of(task)
    for number in range(101, 105):
        assert engine.submit(task) == [1]
        if started:
            write_log(task, number)
        fake.queue((number, 1, "CANCELLED", name))
        engine.queue.look()
        expected = "interrupted_resumable" if started else "runnable"
        assert task.state(engine) == ("retry_error" if number == 104 else expected)


def test_limits(fake):
    task, engine = set_up(), SlurmEngine({"mem": 2, "time": 2}, limits={"time": "3:00:00", "mem": "64G"})
    name = name_of(task)
    for number in (101, 102):
        assert engine.submit(task) == [1]
        write_log(task, number)
        fake.queue((number, 1, "TIMEOUT", name))
        engine.queue.look()
    assert [rqmt["time"] for _, rqmt in task.submissions()] == [2.0, 3.0]
    with pytest.raises(
        ImpossibleRequest, match=r"ended by TIMEOUT with time=3, .* limits=\{'time': 3\}: raise the limit"
    ):
        engine.submit(task)
    task.job.completed_fraction = lambda: 0.5
    assert engine.submit(task) == [1], "it has made progress"


def test_limit_after_the_submissions_were_forgotten(fake, monkeypatch):
    """``sis rerun --keep_work`` keeps the logs of failed tries, which raise the next request, and nothing else."""
    monkeypatch.setattr(slurm.gs, "RETRY_RULES", [{"pattern": "MemoryError", "multiply": {"mem": 2}}])
    task, engine = set_up(rqmt={"mem": 2}), SlurmEngine(limits={"mem": 3})
    with open(task.path("log", 1) + ".error.01", "w") as f:
        f.write("MemoryError\n")
    assert engine.submit(task) == [1] and "--mem=3072M" in fake.calls()[0]


def test_request_above_the_limit(fake):
    task = set_up(rqmt={"mem": 100})
    with pytest.raises(ImpossibleRequest, match=r"asks for mem=100, .* limits=\{'mem': 64\}"):
        SlurmEngine(limits={"mem": 64}).submit(task)
    assert fake.calls() == []


@pytest.mark.parametrize(("rqmt", "text"), [({"cpu": "4"}, "cpu='4'"), ({"gpu": "a100"}, "gpu='a100'")])
def test_request_that_is_no_number(fake, rqmt, text):
    with pytest.raises(ImpossibleRequest, match=f"asks for {text}, which is not a number"):
        SlurmEngine().submit(set_up(rqmt=rqmt))


def test_refused_request(fake):
    fake.fails("sbatch", "sbatch: error: Batch job submission failed: Invalid partition name specified")
    task = set_up(rqmt={"partition": "nope"})
    with pytest.raises(ImpossibleRequest, match="sbatch refuses .*Invalid partition name.*partition=nope"):
        SlurmEngine().submit(task)
    assert task.submissions() == []


def test_full_queue(fake, caplog):
    """Fewer are tried, down to one; then there is a pause, said once."""
    task, engine = set_up(ids=5), SlurmEngine()
    fake.fails("sbatch", "sbatch: error: AssocMaxSubmitJobLimit")
    for _ in range(5):
        assert engine.submit(task) == []
    arrays = [call[call.index("-a") + 1] for call in fake.calls()]
    assert arrays == ["1-5", "1-2", "1"]
    assert caplog.text.count("submissions wait: AssocMaxSubmitJobLimit; the next attempt is in 60 s") == 1
    fake.works("sbatch")
    assert engine.submit(task) == [] and task.state(engine) == "runnable"
    engine._paused_until = 0
    assert engine.submit(task) == [1, 2, 3, 4, 5]
    assert [ids for ids, _ in task.submissions()] == [[1], [2, 3], [4, 5]]


def test_most_jobs(fake):
    task, engine = set_up(ids=5), SlurmEngine(max_jobs=2)
    name = name_of(task)
    assert engine.submit(task) == [1, 2] and engine.submit(task) == []
    fake.queue((101, 1, "RUNNING", name), (101, 2, "COMPLETED", name))
    engine.queue.look()
    open(task.path("finished", 2), "w").close()
    assert engine.submit(task) == [3]


def test_large_arrays(fake):
    """Larger ones than the cluster allows are split; the ids come back from the queue."""
    fake.says("scontrol", "MaxArraySize            = 4\n")
    task, engine = set_up(ids=9), SlurmEngine()
    assert engine.submit(task) == task.task_ids()
    arrays = [call[call.index("-a") + 1] for call in fake.calls()]
    assert arrays == ["1-3", "0-3", "0-1"]
    assert [entry["engine_info"] for _, entry in task.submissions()] == [
        [([1, 2, 3], "101")],
        [([4, 5, 6, 7], "102")],
        [([8, 9], "103")],
    ]
    fake.queue((102, 3, "RUNNING", name_of(task), "None", 0, "sis:abc:4"))
    engine.queue.look()
    assert task.state(engine, 7) == "running"
    fake.queue()
    engine.queue.look()
    fake.says("sacct", "103_1|TIMEOUT|0:0|node7\n")
    assert engine.ended(task, 9) == "TIMEOUT" and engine.ended(task, 8) is None


def test_equal_requests_are_one_array(fake):
    """After memory was too little for one of three, it alone asks for more."""
    task, engine = set_up(ids=3), SlurmEngine()
    name = submitted(engine, task)
    fake.queue(*((101, i, "OUT_OF_MEMORY" if i == 2 else "CANCELLED", name) for i in (1, 2, 3)))
    for i in (1, 2, 3):
        write_log(task, 101, task_id=i)
    engine.queue.look()
    assert sorted(engine.submit(task)) == [1, 2, 3]
    asked = {c[c.index("-a") + 1]: next(o for o in c if o.startswith("--mem=")) for c in fake.calls()[1:]}
    assert asked == {"1,3": "--mem=1024M", "2": "--mem=2048M"}


@pytest.fixture
def slow(fake, monkeypatch):
    """sbatch takes longer than it is given."""
    monkeypatch.setattr(slurm, "SUBMISSION", 0.3)
    monkeypatch.setattr(slurm, "PAUSE", 0)
    fake.hangs("sbatch")
    return fake


def token(call):
    return next(option.split(":")[1] for option in call if option.startswith("--comment="))


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "TIMEOUT"])
def test_submission_that_got_through_without_an_answer(slow, state):
    task, engine = set_up(), SlurmEngine()
    assert engine.submit(task) == [] and task.submissions() == []
    slow.queue((33, 1, state, name_of(task), "None", 0, f"sis:{token(slow.calls()[0])}:0"))
    slow.works("sbatch")
    assert engine.submit(task) == [] and len(slow.calls()) == 1
    task.state(engine)
    assert task.submissions()[0][1]["engine_info"] == [([1], "33")]
    assert engine.submit(task) == ([1] if state == "TIMEOUT" else []), "what has ended is not waited for"


def test_other_ids_after_a_submission_without_an_answer(slow):
    """What it was about is looked for, also if the next submission would be another array."""
    task, engine = set_up(ids=3), SlurmEngine(max_jobs=2)
    assert engine.submit(task) == []
    slow.works("sbatch")
    slow.fails("squeue", "Unable to contact slurm controller")
    engine.max_jobs = None
    assert engine.submit(task) == [] and len(slow.calls()) == 1


def test_array_for_which_there_is_no_room(slow):
    """sbatch itself tries again, for longer than it is given: fewer ids may fit."""
    text = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"
    (slow.bin / "sbatch").write_text(
        f"#!/bin/bash\necho {text} >&2\n[[ \"$*\" == *' -a 1-4 '* ]] && exec sleep 60\necho 7\n"
    )
    task, engine = set_up(ids=4), SlurmEngine()
    assert engine.submit(task) == []
    assert engine.submit(task) == [1, 2, 3, 4] and [ids for ids, _ in task.submissions()] == [[1, 2], [3, 4]]


def test_submission_that_did_not_get_through(slow):
    task, engine = set_up(), SlurmEngine()
    assert engine.submit(task) == []
    slow.fails("squeue", "Unable to contact slurm controller")
    slow.works("sbatch")
    assert engine.submit(task) == [] and len(slow.calls()) == 1, "it is not known whether it got through"
    slow.works("squeue")
    slow.queue((20, 1, "TIMEOUT", name_of(task)))
    assert engine.submit(task) == [1]
    assert token(slow.calls()[0]) != token(slow.calls()[1])


def test_job_that_is_in_no_submit_log(fake, caplog):
    """The manager was killed between the submission and its record."""
    task, first = set_up(ids=2), SlurmEngine()
    name = submitted(first, task)
    line = task.submissions()
    os.unlink(task.job._sis_path() + "/submit_log.run")
    fake.queue((101, 1, "RUNNING", name), (101, 2, "PENDING", name))
    with caplog.at_level(logging.INFO):
        assert task.state(SlurmEngine()) == "queue"
    assert task.submissions() == line and "is in the queue already (Slurm job 101)" in caplog.text


def test_disk_that_was_full_when_a_job_was_submitted(fake, monkeypatch):
    """The line of its submit log follows as soon as there is room."""
    task, engine = set_up(), SlurmEngine()

    def refuse(ids, entry):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(task, "_write_submission", refuse)
        with pytest.raises(OSError, match="No space left"):
            engine.submit(task)
    fake.queue((101, 1, "RUNNING", name_of(task)))
    engine.reset_cache()
    assert engine.queue.look() and task.state(engine) == "running"
    assert [entry["engine_info"] for _, entry in task.submissions()] == [[([1], "101")]]


def test_accounting(fake):
    """For jobs that squeue does not show any more; asked once for each array."""
    task, engine = set_up(ids=2), SlurmEngine()
    submitted(engine, task)
    for i in (1, 2):
        write_log(task, 101, task_id=i)
    fake.queue()
    fake.says("sacct", "101_1|TIMEOUT|0:0|node7\n101_2|RUNNING|0:0|node7\n")
    engine.queue.look()
    with open(task.path("usage", 2), "w") as f:
        f.write(repr({"host": "node7", "pid": 1, "start_time": 1}))
    assert task.state(engine, 1) == "interrupted_resumable"
    assert task.state(engine, 2) == "running", "its end is not certain"
    assert len(fake.calls("sacct")) == 1


def test_no_accounting(fake, caplog):
    task, engine = set_up(), SlurmEngine()
    submitted(engine, task)
    fake.fails("sacct", "Slurm accounting storage is disabled")
    engine.queue.look()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert task.state(engine) == "runnable"
    assert caplog.text.count("accounting storage is disabled") == 1


def test_never_starting(fake, caplog):
    task, engine = set_up(ids=2), SlurmEngine()
    name = submitted(engine, task)
    fake.queue(*((101, i, "PENDING", name, "PartitionTimeLimit") for i in (1, 2)))
    for _ in range(3):
        engine.queue.look()
    assert task.state(engine) == "queue"
    assert caplog.text.count("1 more tasks: in the queue, but cannot start: PartitionTimeLimit") == 1


def test_environment_of_submissions(fake, monkeypatch):
    """The manager may run in a job of its own, and see GPUs."""
    for name in ("SLURM_NTASKS", "SLURM_CONF", "SLURM_CLUSTERS", "CUDA_VISIBLE_DEVICES", "MINE"):
        monkeypatch.setenv(name, "1")
    environment = slurm_commands.environment()
    assert environment["MINE"] == environment["SLURM_CONF"] == environment["SLURM_CLUSTERS"] == "1"
    assert not {"SLURM_NTASKS", "CUDA_VISIBLE_DEVICES"} & set(environment)


@pytest.mark.parametrize(("given", "asked", "sees"), [(None, 0, ""), ("1", 1, "1"), (None, 1, None), ("0,1", 0, "0,1")])
def test_gpus_of_a_task(fake, monkeypatch, given, asked, sees):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    SlurmEngine().init_worker(set_up(rqmt={"gpu": asked}))
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == sees


def test_settings_of_submissions(fake):
    task = set_up(rqmt={"sbatch_args": "--qos=high", "account": "theirs"})
    SlurmEngine(partition="long", account="ours", sbatch_args=["--constraint=fast"]).submit(task)
    (call,) = fake.calls()
    options = [o for o in call if o.startswith(("--partition", "--account", "--constraint", "--qos"))]
    assert options == ["--partition=long", "--account=theirs", "--constraint=fast", "--qos=high"]


def test_names_of_upstream(fake):
    cls = SimpleLinuxUtilityForResourceManagementEngine
    engine = cls({"cpu": 1, "mem": 2, "time": 1}, job_name_mapping=lambda name: "short/" + name[-3:], ignore_jobs=["x"])
    task = set_up()
    assert engine.submit(task) == [1] and task.state(engine) == "queue"
    (call,) = fake.calls()
    assert call[call.index("-J") + 1] == "short.run" and "--mem=2048M" in call
    per_cpu = cls({}, memory_allocation_type=cls.MemoryAllocationType.PER_CPU)
    assert per_cpu.memory == "cpu" and cls({}, has_memory_resource=False).memory is None


def test_no_commands_here(here, monkeypatch):
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(ConfigError, match="no sbatch on this machine"):
        SlurmEngine().start_engine()


def test_beside_a_local_engine(fake):
    """Each task belongs to the engine that it names, or that has it since before the settings were changed."""
    cluster = SlurmEngine()
    selector = EngineSelector({"short": LocalEngine(cpus=1), "long": cluster}, default_engine="long")
    task = set_up()
    assert selector.submit(task) == [1]
    assert "worker --engine long" in fake.calls()[0][-1]
    fake.queue((101, 1, "PENDING", name_of(task)))
    cluster.queue.look()
    assert task.state(selector) == "queue" and selector.in_hand(task) == "queue"
    moved = EngineSelector(selector.engines, default_engine="short")
    assert task.state(moved) == "queue", "it is not started here too"
    fake.queue((101, 1, "TIMEOUT", name_of(task)))
    cluster.queue.look()
    write_log(task, 101)
    assert task.state(selector) == "interrupted_resumable" and "TIMEOUT" in selector.remark(task, 1)
    assert selector.get_rqmt(task, 1)["time"] == 2.0


def test_watching_wakes_the_manager(fake, monkeypatch):
    """As long as something is in the queue, and only then."""
    monkeypatch.setattr(slurm.gs, "WAIT_PERIOD_QSTAT_PARSING", 0.02)
    task, engine = set_up(), SlurmEngine()
    woken = threading.Event()
    engine.set_wake(woken.set)
    engine.start_engine()
    name = submitted(engine, task)
    fake.queue((101, 1, "RUNNING", name))
    assert woken.wait(PATIENCE)
    woken.clear()
    fake.queue((101, 1, "COMPLETED", name))
    assert woken.wait(PATIENCE)
    engine.stop_engine()


def test_submit_log_of_upstream():
    """A submission that failed has no number there, and numbers stand in lists."""
    entry = {"engine_name": "slurm", "engine_info": [([1], None), ([2], ["17"]), ([3], "18")]}
    assert slurm._jobs(entry) == [([2], 17), ([3], 18)]
    assert slurm._jobs({"engine_name": "local", "engine_info": "host"}) == []
