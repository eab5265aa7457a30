"""What large graphs cost: looks at files and at jobs, counted, and what a worker loads."""

import collections
import os
import subprocess
import sys

import pytest
from sisyphus import Job, Path, Task, gs, toolkit
from sisyphus.base.layout import move_aside
from sisyphus.base.measuring import used_by_this_process
from sisyphus.base.task_process import TaskProcess
from sisyphus.engine import DeferSubmission, EngineBase, ImpossibleRequest
from sisyphus.graph import OutputPath, SISGraph
from sisyphus.localengine import LocalEngine
from sisyphus.run import manager
from sisyphus.run.graph_states import GraphStates


class Step(Job):
    def __init__(self, number, before=()):
        self.number = number
        self.before = before
        self.out = self.output_path("out")

    def run(self):
        """Never called here."""


class Grows(Job):
    """Asks for another one of its kind as soon as it is looked at."""

    def __init__(self, number):
        self.number = number
        self.out = self.output_path("out")

    def update(self):
        if self.number:
            self.add_input(Grows(self.number - 1).out)

    def run(self):
        """Never called here."""


class Two(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("first")
        yield Task("second")

    def first(self):
        """Never called here."""

    second = first


class WithoutIds(Job):
    def __init__(self, number):
        self.out = self.output_path("out", directory=True)

    def tasks(self):
        yield Task("run", args=[])

    def run(self):
        """Never called."""


class Queue(EngineBase):
    """Takes ``room`` tasks, which stay in the queue."""

    def __init__(self, room=10**6):
        self.room = room
        self.asked = 0
        self.queue = set()

    def task_state(self, task, task_id):
        return "queue" if (task.task_name(), task_id) in self.queue else "unknown"

    def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
        self.asked += 1
        if len(self.queue) >= self.room:
            raise DeferSubmission
        self.queue.update((name, i) for i in task_ids)
        return "queue", None

    def get_default_rqmt(self, task):
        return {"cpu": 1}


def layers(count, width=10):
    """Layers of jobs, each of which reads one of the layer before; returns the last layer."""
    layer = []
    for _ in range(count):
        layer = [Step(i, [job.out for job in layer[i : i + 1]]) for i in range(width)]
    return layer


def graph_of(jobs):
    graph = SISGraph()
    for job in jobs:
        graph.add_target(OutputPath(f"{type(job).__name__}.{len(graph.targets)}", job.out))
    return graph


def finish(job):
    os.makedirs(job._sis_path() + "/output", exist_ok=True)
    for name in ("finished", "output/out"):
        open(f"{job._sis_path()}/{name}", "w").close()


@pytest.fixture
def calls(monkeypatch):
    """Counts file-system calls by name."""
    counted = collections.Counter()

    def counting(name, call):
        def count(*args, **kwargs):
            counted[name] += 1
            return call(*args, **kwargs)

        return count

    for name in ("stat", "lstat", "listdir", "scandir", "readlink", "open"):
        monkeypatch.setattr(os, name, counting(name, getattr(os, name)))
    return counted


@pytest.fixture
def make_manager(here, monkeypatch):
    def make(engine, jobs):
        monkeypatch.setattr(manager, "cached_engine", lambda: engine)
        made = manager.Manager(graph_of(jobs))
        made._startup()
        return made

    return make


@pytest.mark.parametrize("count", [5, 50])
def test_waiting_and_finished_jobs_cost_nothing(here, calls, count):
    """10 jobs can start. What is before and behind them makes no difference."""
    graph = graph_of(layers(count))
    jobs = graph.walk()
    for job in jobs[: 10 * count // 2]:
        finish(job)
    view = GraphStates(graph, Queue())
    view.refresh()
    assert collections.Counter(view.states.values()) == {"finished": 25, "runnable": 5, "waiting": 20} or count == 50
    startable = len(view.in_state("runnable"))
    calls.clear()
    view.refresh()
    assert 0 < startable <= 10 and sum(calls.values()) <= startable


@pytest.mark.parametrize("count", [5, 50])
def test_first_look_at_a_new_graph(here, calls, count):
    """One listing says that no job has a folder."""
    view = GraphStates(graph_of(layers(count)), Queue())
    view.refresh(everything=True)
    assert len(view.states) == 10 * count and sum(calls.values()) <= 2


def test_cycle_with_queued_tasks(make_manager, calls):
    """No file is looked at, whatever the engine is, and targets that are not made cost nothing either."""
    jobs = [Step(i) for i in range(10, 50)] + layers(20)
    made = make_manager(Queue(), jobs)
    made._cycle()
    assert len(made.view.in_state("queue")) == 50
    calls.clear()
    assert made._cycle() and not calls


def test_every_output_a_target(make_manager):
    jobs = [Step(0)]
    for i in range(1, 20):
        jobs.append(Step(i, [jobs[-1].out]))
    engine = Queue()
    made = make_manager(engine, jobs)
    for done in (1, 5, 20):
        for job in jobs[:done]:
            finish(job)
        engine.queue.clear()
        made._cycle()
        assert len(os.listdir("output")) == done
    assert not made.graph.active_targets and not made._cycle()


def test_two_targets_of_one_job(make_manager):
    job = Step(1)
    made = make_manager(Queue(), [job])
    made.graph.add_target(OutputPath("again", job.out))
    made.graph.add_target(OutputPath("again", job.out))
    assert len(made.graph.targets) == 2 and made.graph.target_jobs() == [job]
    finish(job)
    made._cycle()
    assert sorted(os.listdir("output")) == ["Step.0", "again"]


def test_growing_graph_is_looked_at_once(here, monkeypatch):
    """Jobs that an ``update()`` asks for belong to the graph at once, also a long chain of them."""
    looked = collections.Counter()
    state = Grows._sis_state
    monkeypatch.setattr(Grows, "_sis_state", lambda job, engine: looked.update([job]) or state(job, engine))
    view = GraphStates(graph_of([Grows(300), *layers(2)]), Queue())
    view.refresh()
    assert len(view.states) == 301 + 20 and view.states[Grows(300)] == "waiting"
    assert view.states[Grows(0)] == "runnable" and max(looked.values()) <= 2
    finish(Grows(0))
    view.refresh()
    assert view.states[Grows(0)] == "finished" and view.states[Grows(1)] == "runnable"
    assert view.states[Grows(2)] == "waiting" and max(looked.values()) <= 4


def test_new_target_needs_a_job_that_was_taken_as_finished(here):
    """Somebody has removed the folder of a job whose only reader is finished."""
    removed = Step(0)
    reader = Step(1, [removed.out])
    finish(reader)
    graph = graph_of([reader])
    view = GraphStates(graph, Queue())
    view.refresh()
    assert set(view.states.values()) == {"finished"}
    later = Step(2, [removed.out, reader.out])
    graph.add_target(OutputPath("later", later.out))
    view.refresh()
    assert view.states == {reader: "finished", removed: "runnable", later: "waiting"}
    graph.remove_targets(graph.targets[1:])
    view.refresh()
    assert set(view.states) == {reader, removed}


def test_job_that_somebody_else_finishes(make_manager):
    """When nothing is left to do the waiting jobs are looked at once more."""
    made = make_manager(Queue(), layers(2, width=1))
    first, last = made.graph.walk()
    first.hold()
    assert not made._cycle() and made.view.states == {first: "hold", last: "waiting"}
    finish(last)
    assert not made._cycle() and made.view.states[last] == "finished"


def test_task_that_ends_while_it_is_looked_at(here, monkeypatch):
    """Its state is ``finished`` then; the job's is that of its next task."""
    job = Two()
    job._sis_setup_directory()
    state = Task.state

    def ends_first(task, *args):
        if task.name() == "first":
            open(task.path("finished", 1), "w").close()
        return state(task, *args)

    monkeypatch.setattr(Task, "state", ends_first)
    assert job._sis_state(Queue()) == "runnable" and job._sis_next_task().name() == "second"


def test_job_that_ends_before_its_submission(make_manager):
    """It is not submitted again, and the jobs that waited for it go on at once."""
    (last,) = layers(2, width=1)
    (first,) = last._sis_creators()
    made = make_manager(Queue(), [last])

    def end(question):
        finish(first)
        open(f"{first._sis_path()}/finished.run.1", "w").close()
        return "yes"

    made.ask = end
    assert made._cycle() and not made.view.refused
    assert made.view.states[first] == "finished" and made.view.states[last] == "runnable"


def test_job_whose_tasks_have_no_ids(make_manager):
    """There is nothing to run, so it ends when it has a folder."""
    made = make_manager(Queue(), [WithoutIds(1)])
    assert not made._cycle() and made.view.states == {WithoutIds(1): "finished"}
    toolkit.run(WithoutIds(2).out, quiet=True)
    assert WithoutIds(2)._sis_finished()


def test_refused_job_that_was_cleared(make_manager, monkeypatch):
    """The running manager starts it again."""
    job, engine = Step(1), Queue()
    made = make_manager(engine, [job])
    with monkeypatch.context() as patch:
        patch.setattr(engine, "check_request", _raise_impossible)
        made._cycle()
    made._cycle()
    assert made.view.states == {job: "error"}
    move_aside(job._sis_path(abspath=True))
    assert made._cycle() and made.view.states == {job: "queue"} and not made.view.refused


def _raise_impossible(rqmt, task):
    raise ImpossibleRequest("sbatch refuses it")


def test_folder_that_cannot_be_read(make_manager):
    """It is an error of this job, the others run. What it needs is not run, because it may be finished."""
    needed, other = Step(0), Step(2)
    unread = Step(1, [needed.out])
    os.makedirs(os.path.dirname(unread._sis_path()))
    os.symlink(os.path.basename(unread._sis_path()), unread._sis_path())
    made = make_manager(Queue(), [unread, other])
    assert made._cycle() and made.view.in_state("queue") == [other] and made.view.in_state("error") == [unread]
    assert "Too many levels of symbolic links" in made.view.refused[unread]
    os.unlink(unread._sis_path())
    finish(other)
    made.engine.queue.clear()
    assert made._cycle() and made._cycle() and made.view.in_state("queue") == [needed]


def test_folders_that_cannot_be_moved_aside(make_manager, monkeypatch):
    """As those of a colleague: it is an error of these jobs, the others run."""
    failed, other = Step(1), Step(2)
    failed._sis_setup_directory()
    open(f"{failed._sis_path()}/error.run.1", "w").close()
    made = make_manager(Queue(), [failed, other])
    made.clear_errors = True
    monkeypatch.setattr(os, "rename", _refuse)
    made.clear_failed()
    made._cycle()
    assert made.view.states == {failed: "error", other: "queue"}
    assert "PermissionError" in made.view.refused[failed]


def _refuse(*names):
    raise PermissionError(13, "Permission denied", *names[:1])


def submitted_twice():
    """A job whose task may be resumed, with two submissions by an earlier manager; and the task."""
    job = Step(1)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    task._resume = "run"
    for _ in range(2):
        task.log_submission([1], {"cpu": 1}, "queue", None)
    return job, task


def test_submissions_of_earlier_managers_do_not_count(make_manager, monkeypatch):
    monkeypatch.setattr(gs, "MAX_SUBMIT_RETRIES", 2)
    job, task = submitted_twice()
    engine = Queue()
    open(task.path("log", 1), "w").close()
    made = make_manager(engine, [job])
    assert made._cycle() and task.submission_count(1) == 1


def test_nothing_is_written_for_what_runs_when_a_manager_starts(make_manager, monkeypatch):
    """When it was submitted can still be seen. Its submissions are counted anew when there were too many."""
    monkeypatch.setattr(gs, "MAX_SUBMIT_RETRIES", 1)
    job, task = submitted_twice()
    engine = Queue()
    engine.queue = {(task.task_name(), 1)}
    made = make_manager(engine, [job])
    assert made._cycle() and len(task.submissions()) == 2 and made.view.states[job] == "queue"
    engine.queue.clear()
    open(task.path("log", 1), "w").close()
    for _ in range(2):
        assert made._cycle()
    assert task.submission_count(1) == 1 and made.view.states[job] == "queue"


def test_full_queue_is_asked_once_a_cycle(make_manager):
    engine = Queue(room=3)
    made = make_manager(engine, [Step(i) for i in range(20)])
    for _ in range(3):
        before, engine.asked = engine.asked, 0
        made._cycle()
    assert before == engine.asked == 1 and len(made.view.in_state("queue")) == 3
    engine.room = 20
    made._cycle()
    assert len(made.view.in_state("queue")) == 20


def test_input_file_that_appears_late(here, calls):
    """It is seen in the next cycle; until then the job costs a look at the file."""
    there = set()
    early = Path("early", Step(0), available=lambda path: path in there)  # before its job has ended
    jobs = [Step(1, [Path("late")]), Step(2, [Step(3, [Path("late")]).out]), Step(4, [early])]
    view = GraphStates(graph_of(jobs), Queue())
    view.refresh()
    assert [view.states[job] for job in jobs] == ["waiting"] * 3
    calls.clear()
    view.refresh()
    assert sum(calls.values()) <= 6
    open("late", "w").close()
    there.add(early)
    view.refresh()
    assert [view.states[job] for job in jobs] == ["runnable", "waiting", "runnable"]


def test_large_block(here):
    """That a job is in it already is found out without a look at all others."""
    compared = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Step, "__eq__", lambda a, b: compared.append(1) or a is b)
        with toolkit.block("large") as block:
            jobs = [Step(i % 50) for i in range(100)]
    assert block.children == jobs[:50] and len(compared) < 200


def test_shorter_tasks_start_first(here, monkeypatch):
    """Equal ones in order of submission; a large one leaves what it cannot use to others, and comes in the end."""
    engine = LocalEngine(cpus=2)
    started = []
    monkeypatch.setattr(engine, "_start", started.append)
    asked = {"long": (1, 24), "short": (1, 0.5), "large": (2, 0.1), "short2": (1, 0.5), "untold": (1, None)}
    for name, (cpu, time) in asked.items():
        rqmt = {"cpu": cpu} if time is None else {"cpu": cpu, "time": time}
        engine.submit_call(["sis"], "", rqmt, f"{name}.run", "run", [1])
    engine._take(other := TaskProcess([], {"cpu": 1}, "", "other.run", "run", 1))
    engine.submitted()
    order = []
    while started:
        order.append(started[-1].key[0].removesuffix(".run"))
        if len(order) == 3:
            engine._give_back(other)
        engine._ended(started.pop(), 0)
    assert order[:3] == ["untold", "short", "short2"] and sorted(order[3:]) == ["large", "long"]


def test_worker_loads_little(folder):
    """A worker of a short job costs hardly more than Python; what only some need is loaded by them."""
    folder.sis("manager", "-r", "config.chain(1)")
    job = folder.job("Trivial")
    for name in ("finished", "finished.run.1", "log.run.1", "usage.run.1"):
        (job / name).unlink()
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sisyphus", "worker", str(job.relative_to(folder.path)), "run", "1"],
        cwd=folder.path,
        env={**os.environ, "SIS_GLOBAL_SETTINGS_FILE": "settings.py"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert (job / "finished.run.1").exists() and "sisyphus.run.worker" in loaded
    assert not loaded & {
        "IPython",
        "asyncio",
        "flask",
        "inspect",
        "psutil",
        "sisyphus.run.manager",
        "tarfile",
        "tempfile",
    }


def test_peak_of_memory_is_seen(here):
    """Also of a task that is over before it is measured for the first time."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("needs /proc")
    block = b"x" * 128 * 1024**2
    del block
    used = used_by_this_process()
    assert used["vms"] > used["rss"] > 0.12 and used["cpu"] > 0


def test_states_of_another_thread_stay_whole(here):
    """The clean-up and the status page read the states while all of them are looked at again."""
    graph = graph_of(layers(3))
    view = GraphStates(graph, Queue())
    view.refresh()
    seen = []
    state = Step._sis_state
    Step._sis_state = lambda job, engine: seen.append(len(view.states)) or state(job, engine)
    try:
        view.refresh(everything=True)
    finally:
        Step._sis_state = state
    assert set(seen) == {30} and len(view.in_state("runnable", "waiting")) == 30
