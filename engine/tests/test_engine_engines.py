"""What an engine is asked for, which task it starts, and whether a task counts as running."""

import os
import subprocess
import sys

import pytest
from patience import wait_until
from sisyphus import Job, Task, gs, localengine, tk
from sisyphus import job as job_module
from sisyphus.base import log_claim, processes, task_process
from sisyphus.engine import DeferSubmission, EngineBase, EngineSelector, ImpossibleRequest
from sisyphus.graph import SISGraph
from sisyphus.localengine import LocalEngine
from sisyphus.reading import lookup, usage
from sisyphus.reading.folder import JobFolder
from sisyphus.run.graph_states import GraphStates


class Link(Job):
    def __init__(self, number):
        self.number = number
        self.out = self.output_path("out")

    def run(self):
        """Never called here."""


def test_moved_requirements(here):
    job = Link(1).set_rqmt("run", {"cpu": 2, "mem": "512M"}).update_rqmt("run", {"time": "1:30:00"})
    assert job._sis_tasks()[0].rqmt() == {"time": 1.5}, "the last call wins"
    task = Task("run", rqmt={"cpu": 3, "mem": "2G"}, mini_task=True)
    task.set_job(Link(2).update_rqmt("run", {"time": 1}))
    assert task.rqmt() == {"cpu": 3, "mem": 2.0, "engine": "short", "time": 1.0}


def test_automatic_increase_stops_at_the_machine(here):
    """A task that was interrupted close to its memory limit asks for more, but never for more than there is."""
    job = Link(1)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    task.log_submission([1], {"cpu": 1, "mem": 1.0, "time": 1.0}, "local", "host")
    with open(task.path("usage", 1), "w") as f:
        f.write("{'max': {'rss': 0.9}, 'used_time': 0.1}")
    assert LocalEngine(cpus=1, mem=8).get_rqmt(task, 1)["mem"] == 2.0
    assert LocalEngine(cpus=1, mem=1.5).get_rqmt(task, 1)["mem"] == 1.5


@pytest.mark.parametrize(
    ("arguments", "visible", "ids"),
    [
        ({"gpus": 2}, None, ["0", "1"]),
        ({"gpu": 2}, "", []),
        ({"gpus": 2}, "-1", []),
        ({"gpus": 2}, "NoDevFiles", []),
        ({"gpus": 1}, "4,7", ["4"]),
        ({"gpus": 2}, "4", ["4"]),
        ({"gpus": 3}, "0,-1,1", ["0"]),
        ({"gpus": 3}, "GPU-8932f937, MIG-GPU-5c/1/0,,2", ["GPU-8932f937", "MIG-GPU-5c/1/0"]),
        ({"gpus": 2, "available_gpus": "3,5"}, "0", ["3", "5"]),
        ({"available_gpus": [3, 5]}, None, ["3", "5"]),
        ({"gpus": 2, "available_gpus": "3,-1,5"}, None, ["3"]),
        ({"gpus": 4, "available_gpus": "3"}, None, ["3"]),
        ({}, "0,1", []),
    ],
)
def test_gpu_ids(monkeypatch, arguments, visible, ids):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    engine = LocalEngine(**arguments)
    assert engine._free_gpus == ids and engine.resources["gpu"] == len(ids)


class Cluster(EngineBase):
    """As an engine that asks a scheduler: it knows states only from there, and its workers get no id."""

    def __init__(self):
        self.known = {}
        self.calls = []
        self.full = False

    def task_state(self, task, task_id):
        return self.known.get((task.task_name(), task_id), "unknown")

    def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
        if self.full:
            raise DeferSubmission
        self.calls.append((call[call.index("worker") :], logpath, rqmt, task_ids))
        self.known.update({(name, i): "queue" for i in task_ids})
        return "cluster", [(task_ids, "17")]

    def get_default_rqmt(self, task):
        return {"cpu": 1, "mem": 2, "time": 1}

    def get_task_termination_info(self, task, task_id, submit_info):
        return {"out_of_memory": submit_info["engine_info"] == [([1], "17")]}


def test_engine_that_asks_a_scheduler(here, monkeypatch):
    job, engine = Link(1), Cluster()
    graph = SISGraph()
    graph.add_target(tk.graph.OutputPath("x", job.out))
    view = GraphStates(graph, engine)

    def state():
        view.refresh()
        return view.states[job]

    assert state() == "runnable"
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    engine.full = True
    assert engine.submit(task) == [] and state() == "runnable"
    assert task.submissions() == [], "a deferred submission leaves no record"
    engine.full = False
    assert engine.submit(task) == [1] and state() == "queue"
    folder = job._sis_path()
    rqmt = {"cpu": 1, "mem": 2.0, "time": 1.0}
    assert engine.calls == [(["worker", folder, "run"], os.path.abspath(folder + "/engine"), rqmt, [1])]
    for known in ("running", "queue_error"):
        engine.known[task.task_name(), 1] = known
        assert state() == known
    with monkeypatch.context() as patch:
        patch.setattr(engine, "task_state", lambda *_: 1 / 0)
        assert state() == "error" and "division by zero" in view.refused[job]
    assert state() == "queue_error" and not view.refused, "a scheduler that does not answer once is no lasting error"
    engine.known.clear()
    open(task.path("log", 1), "w").close()
    assert state() == "interrupted_not_resumable"
    assert engine.get_rqmt(task, 1)["mem"] == 4.0, "what the scheduler knows of its end counts"
    open(task.path("error", 1), "w").close()
    assert state() == "error"


def submitted_task(engine, times, **usage):
    """A task that was submitted so often, and whose usage is that of each run; without usage it never ran."""
    job = Link(1)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    task._resume = "run"
    for _ in range(times):
        engine.known.clear()
        assert engine.submit(task) == [1]
        if usage:
            open(task.path("log", 1), "a").close()
            with open(task.path("usage", 1), "w") as f:
                f.write(repr({"host": processes.hostname(), "pid": 2**22 + 1, "start_time": 0.0, **usage}))
    engine.known.clear()
    return task


def test_another_round_keeps_what_was_raised(here, monkeypatch):
    """A manager that starts counts anew, and goes on where the last one stopped."""
    monkeypatch.setattr(gs, "MAX_SUBMIT_RETRIES", 3)
    engine = Cluster()
    task = submitted_task(engine, 4, out_of_memory=True)
    asked = lambda: [rqmt["mem"] for ids, rqmt in task.submissions() if ids]
    assert asked() == [2.0, 4.0, 8.0, 16.0] and task.state(engine) == "retry_error"
    task.begin_round()
    assert task.state(engine) == "interrupted_resumable"
    assert engine.get_rqmt(task, 1)["mem"] == 32.0
    (view,) = usage.tasks(task.job, JobFolder(task.job._sis_path(abspath=True)), False)
    assert len(view.submissions) == 4


def test_what_never_started_counts_as_no_try(here, monkeypatch):
    """The queue of a local engine ends with its manager."""
    monkeypatch.setattr(Cluster, "get_task_termination_info", EngineBase.get_task_termination_info)
    task = submitted_task(Cluster(), 6)
    assert task.submission_count(1) == 1 and task.state(Cluster()) == "runnable"
    assert [rqmt["mem"] for _, rqmt in task.submissions()] == [2.0] * 6


def test_a_run_raises_requests_once(here, monkeypatch):
    """Not those of later submissions, which have only waited in a queue."""
    monkeypatch.setattr(Cluster, "get_task_termination_info", EngineBase.get_task_termination_info)
    task = submitted_task(Cluster(), 1, out_of_memory=True, requested_resources={"mem": 2.0, "time": 1.0})
    for _ in range(3):
        assert Cluster().submit(task) == [1]
    assert [rqmt["mem"] for _, rqmt in task.submissions()] == [2.0, 4.0, 4.0, 4.0]


def test_requests_are_raised_from_the_recipes_new_figure(here, monkeypatch):
    monkeypatch.setattr(Cluster, "get_task_termination_info", EngineBase.get_task_termination_info)
    engine = Cluster()
    task = submitted_task(engine, 1, out_of_memory=True)
    task.job._sis_task_rqmt_overwrite["run"] = ({"mem": 3}, True)
    for _ in range(2):
        engine.known.clear()
        assert engine.submit(task) == [1]
    assert [rqmt["mem"] for _, rqmt in task.submissions()] == [2.0, 6.0, 12.0]
    shown, hidden = usage.request_as_text(task.submissions()[-1][1]), task.submissions()[-1][1]["raised_from"]
    assert shown == "cpu 1, mem 12 GB, time 1 h" and hidden == {"mem": 3.0}
    os.unlink(task.path("usage", 1))
    engine.known.clear()
    assert engine.submit(task) == [1] and task.submissions()[-1][1]["mem"] == 12.0, "it stays raised"
    task.job._sis_task_rqmt_overwrite["run"] = ({"mem": 5}, True)
    assert engine.get_rqmt(task, 1)["mem"] == 5.0, "until the recipe has another figure"


def test_what_a_limit_lowered_follows_the_limit(here, monkeypatch):
    engine = Cluster()
    with monkeypatch.context() as patch:
        patch.setattr(gs, "check_engine_limits", lambda rqmt, task: {**rqmt, "mem": min(rqmt["mem"], 1)})
        task = submitted_task(engine, 1)
    assert "raised_from" not in task.submissions()[0][1]
    monkeypatch.setattr(Cluster, "get_task_termination_info", EngineBase.get_task_termination_info)
    assert engine.get_rqmt(task, 1)["mem"] == 2.0


def test_progress_that_a_job_cannot_tell(here, caplog):
    engine = Cluster()
    task = submitted_task(engine, 1)
    open(task.path("log", 1), "w").close()
    task.job.completed_fraction = lambda: os.stat("not there yet")
    assert engine.submit(task) == [1]
    assert task.submissions()[-1][1]["completed_fraction"] is None and "not there yet" in caplog.text


def test_another_try_waits_for_the_end_of_this_one(here):
    """Also beside a cluster, whose states are less certain than the files."""
    small = LocalEngine(cpus=1)
    selector = EngineSelector({"short": small, "long": Cluster()}, default_engine="short")
    job = Link(1)
    job._sis_setup_directory()
    task = Task("run", tries=2)
    task.set_job(job)
    small._take(running := task_process.TaskProcess([], {"cpu": 1}, "", task.task_name(), "run", 1))
    for kind in ("log", "error"):
        open(task.path(kind, 1), "x").close()
    assert task.state(selector) == "running" and os.path.exists(task.path("error", 1))
    small._give_back(running)
    assert task.state(selector) == "runnable" and os.path.exists(task.path("log", 1) + ".error.01")


def test_engine_selector(here):
    """The task's ``engine`` decides; the worker is told which one it belongs to."""
    small, big = LocalEngine(cpus=1), LocalEngine(cpus=8)
    selector = EngineSelector({"short": small, "long": big}, default_engine="short")
    task = Task("run", rqmt={"cpu": 4, "engine": "long"})
    task.set_job(Link(1))
    selector.check_request(selector.get_rqmt(task, 1), task)
    selector.submit_call(["sis", "worker", "work/x", "run"], "", task.rqmt(), "x.run", "run", [1])
    assert [p.call for p in big._queue.values()] == [
        ["sis", "worker", "--engine", "long", "work/x", "run", "1", "--redirect_output"]
    ]
    assert not small._queue
    assert selector.get_used_engine(None) is small, "of a worker that a person starts"
    task = Task("run", rqmt={"engine": "medium"})
    task.set_job(Link(1))
    with pytest.raises(ImpossibleRequest, match="'medium', the settings have \\['long', 'short'\\]"):
        selector.get_rqmt(task, 1)


def test_worker_that_is_starting_counts_as_running(here):
    """Its log is locked from the first moment on; the usage file comes later."""
    job = Link(1)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    log = task.path("log", 1)
    command = "import sys; from sisyphus.base.log_claim import claim; print(claim(sys.argv[1]), flush=True); input()"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(job_module.__file__))}
    worker = subprocess.Popen(
        [sys.executable, "-c", command, log], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert worker.stdout.readline() == "(True, True)\n"
    assert task.state() == "running" and lookup.folder_state(job._sis_path()) == "running"
    assert log_claim.claim(log) == (False, False)
    worker.kill()
    worker.communicate()
    assert task.state() == "interrupted_not_resumable" and lookup.folder_state(job._sis_path()) == "unfinished"
    assert log_claim.claim(log) == (True, False)


def test_task_of_another_host_is_judged_by_the_age_of_its_files(here):
    """Its process id means nothing here, even if a process has it."""
    job = Link(1)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    for kind, text in (("log", ""), ("usage", repr({"host": "elsewhere", "pid": os.getpid(), "start_time": 1}))):
        with open(task.path(kind, 1), "w") as f:
            f.write(text)
    assert task.state(LocalEngine()) == "running"
    for kind in ("log", "usage"):
        os.utime(task.path(kind, 1), (1, 1))
    assert task.state(LocalEngine()) == "interrupted_not_resumable"


def test_task_of_an_earlier_manager_keeps_its_gpu(here):
    """Else the next task would get the same one."""
    job = Link(1).set_rqmt("run", {"gpu": 1})
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    worker = subprocess.Popen(["sleep", "60"], env={**os.environ, "CUDA_VISIBLE_DEVICES": "5"})
    wait_until(lambda: localengine._gpus_of(worker.pid) == ["5"])  # it has hardly been started
    usage = {"host": processes.hostname(), "pid": worker.pid, "start_time": processes.start_time(worker.pid)}
    with open(task.path("usage", 1), "w") as f:
        f.write(repr({**usage, "requested_resources": {"gpu": 1}}))
    engine = LocalEngine(available_gpus="3,5,7")
    assert task.state(engine) == "running" and engine._free_gpus == ["3", "7"] and engine._free["gpu"] == 2
    worker.kill()
    worker.wait()
    wait_until(lambda: task.state(engine) != "running")
    assert sorted(engine._free_gpus) == ["3", "5", "7"] and engine._free["gpu"] == 3


def test_what_tasks_give_back_is_what_they_took(here):
    """Sums of decimal numbers drift: a task that asks for the whole memory would never start."""
    engine, running = LocalEngine(cpus=99, mem=4), []
    for number, mem in enumerate(5 * [0.1, 1.3, 0.7, 0.2, 1.1, 0.3]):
        process = task_process.TaskProcess([], {"mem": mem}, "", f"x.{number}.run", "run", 1)
        engine._take(process)
        running.append(process)
        if len(running) == 4:
            engine._give_back(running.pop(number % 4))
    for process in running:
        engine._give_back(process)
    assert engine._free == engine.resources


def test_program_that_cannot_be_started(here):
    """Each of very many task ids gets its error; nothing counts as running for ever."""
    job = Link(1)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    engine, ids = LocalEngine(cpus=2), range(1, 601)
    logs = job._sis_path("engine", abspath=True)
    engine.submit_call(["/no/such/program"], logs, {"cpu": 1}, task.task_name(), "run", ids)
    engine.submitted()
    wait_until(lambda: not engine._running and not engine._queue)
    assert engine._free == engine.resources
    assert all(os.path.exists(task.path("error", i)) for i in ids)
    assert "cannot start ['/no/such/program', '600'" in "\n".join(task.log_tail(600, 3))
