"""Nothing that goes wrong outside of a task makes a run hang, or try again for ever."""

import errno
import os
import subprocess
import sys
import threading

import pytest
from patience import PATIENCE, wait_until
from sisyphus import Job, gs, localengine
from sisyphus import job as job_module
from sisyphus.base import log_claim, processes, services, task_process
from sisyphus.localengine import LocalEngine
from sisyphus.run.failures import FailureHook
from sisyphus.slurm.queue import Queue


class Link(Job):
    def __init__(self, number):
        self.number = number
        self.out = self.output_path("out")

    def run(self):
        """Never called here."""


@pytest.fixture
def task(here):
    job = Link(1)
    job._sis_setup_directory()
    return job._sis_next_task()


def submit(engine, task, call, ids=(1,)):
    engine.submit_call(call, task.job._sis_path("engine", abspath=True), {"cpu": 1}, task.task_name(), "run", ids)
    engine.submitted()


def watched(task):
    return task_process.TaskProcess([], {}, task.job._sis_path(abspath=True), task.task_name(), "run", 1)


def write(folder, recipe, config):
    """A recipe with ``from sisyphus import *`` and a config that makes its job ``Mine``."""
    (folder / "recipe" / "mine.py").write_text("import os, signal, time\nfrom sisyphus import *\n\n" + recipe)
    (folder / "config" / "mine.py").write_text(f"from mine import Mine\nfrom sisyphus import tk\n\n\n{config}\n")


# the end of a task ---------------------------------------------------------------------------------------------------
UNREADABLE = """
class Mine(Job):
    def __init__(self, number):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run")

    def run(self):
        open(self.out.get_path(), "w").close()
        os.unlink("../usage.run.1")
        os.mkdir("../usage.run.1")
"""


def test_file_that_cannot_be_read_at_the_end_of_a_task(folder):
    """The tasks go on, and give back what they have used."""
    write(folder, UNREADABLE, "def py():\n    for i in range(5):\n        tk.register_output(str(i), Mine(i).out)")
    status, output = folder.sis("manager", "-r", "config/mine.py")
    assert status == 0 and output.count("IsADirectoryError") == 5 and "Traceback" not in output, output


@pytest.mark.parametrize("step", ["end_leftovers", "record_end"])
@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "Too many open files"), KeyError("a mistake")])
def test_error_at_the_end_of_a_task_frees_what_it_used(task, monkeypatch, caplog, step, error):
    engine, woken = LocalEngine(cpus=1), threading.Event()
    engine.set_wake(woken.set)
    kept = getattr(task_process.TaskProcess, step)

    def fails(self, *arguments):
        if self.popen is not None:  # it is at its end, not at its start
            raise error
        kept(self, *arguments)

    monkeypatch.setattr(task_process.TaskProcess, step, fails)
    submit(engine, task, ["true"], [1, 2])
    wait_until(lambda: not engine._running and not engine._queue)
    assert woken.wait(PATIENCE) and engine._free == engine.resources
    assert caplog.text.count(str(error)) == 2


def test_task_without_a_thread_that_waits_for_it(task, monkeypatch, caplog):
    """The manager's next look finds the end, and what was in the queue starts."""
    engine = LocalEngine(cpus=1)

    def refuses(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuses)
    submit(engine, task, ["true"], [1, 2])
    for _ in (1, 2):
        (process,) = engine._running.values()
        process.popen.wait(PATIENCE)
        engine.reset_cache()
    assert not engine._running and not engine._queue and "can't start new thread" in caplog.text
    assert os.path.exists(task.path("error", 2))


def test_thread_that_lost_its_task(task, monkeypatch, caplog):
    engine = LocalEngine(cpus=1)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "wait", lambda self: 1 / 0)
        submit(engine, task, ["true"])
        (process,) = engine._running.values()
        process.watcher.join(PATIENCE)
    assert engine._running and "lost sight" in caplog.text
    process.popen.wait()
    engine.reset_cache()
    assert not engine._running


def test_adopted_task_is_watched_without_a_file_handle(task, monkeypatch):
    """Its end is found although nothing can be opened for a while."""
    worker = subprocess.Popen(["sleep", "600"])
    usage = {"pid": worker.pid, "start_time": processes.start_time(worker.pid)}
    stranger, tried = task_process.Stranger(usage), threading.Event()

    def fails(_):
        tried.set()
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", fails, raising=False)
    monkeypatch.setattr(task_process.time, "sleep", lambda _: tried.wait())
    thread = threading.Thread(target=stranger.wait, daemon=True)
    thread.start()
    assert tried.wait(PATIENCE) and thread.is_alive()
    worker.kill()
    worker.wait()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize(("status", "text"), [(-9, "signal SIGKILL"), (-63, "signal 63"), (3, "exit status 3")])
def test_end_by_any_signal_is_noted(task, status, text):
    process = watched(task)
    process.record_end(status)
    assert f"the worker process ended by {text} without a result" in "\n".join(task.log_tail(1, 1))
    assert os.path.exists(task.path("error", 1)) == (status != -9)


def test_end_in_a_folder_with_tags(here, monkeypatch):
    monkeypatch.setattr(gs, "JOB_USE_TAGS_IN_PATH", True)
    job = Link(1, sis_tags={"tagged"})
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    submit(LocalEngine(cpus=1), task, ["sh", "-c", "exit 3"])
    wait_until(lambda: os.path.exists(task.path("error", 1)))
    assert "tagged" in task.path("log", 1) and "exit status 3" in task.log_tail(1, 1)[0]


# threads of the manager ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [KeyError("a mistake"), SystemExit(1)])
def test_thread_that_is_gone_ends_the_run(caplog, error):
    def work():
        raise error

    service = services.Service("clock", work)
    service.start()
    service.join(PATIENCE)
    assert "the thread 'clock' of the manager failed" in caplog.text and "Traceback" in caplog.text
    with pytest.raises(services.ServiceLost, match="'clock' of the manager has ended, so this run stops"):
        services.check()
    services.check()
    done = services.Service("done", lambda: None)
    done.start()
    done.join(PATIENCE)
    services.check()


def test_run_without_one_of_its_threads(folder):
    """It ends with a message although a job has not ended."""
    settings = folder / "settings.py"
    settings.write_text(
        settings.read_text() + "import sisyphus.base.services as services\n"
        "def worker_wrapper(job, task_name, call):\n"
        "    services.Service('clock', lambda: 1 / 0).start()\n    return call\n"
    )
    status, output = folder.sis("manager", "-r", "config.slow")
    assert status == 1 and "ZeroDivisionError" in output
    assert output.rstrip().endswith("Running tasks go on, and the next sis manager continues here.")


def test_thread_that_cannot_start(monkeypatch):
    def refuses(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuses)
    with pytest.raises(services.ServiceLost, match="cannot start its thread 'clock'"):
        services.Service("clock", lambda: None).start()
    services.check()


def test_hook_that_exits_is_called_again(monkeypatch, caplog):
    told = []

    class Failure:
        name = "x"

    monkeypatch.setattr(gs, "on_new_failure", lambda failure: told.append(failure) or sys.exit(3))
    hook = FailureHook()
    hook.add(Failure())
    hook.add(Failure())
    hook.close()
    services.check()
    assert len(told) == 2 and caplog.text.count("on_new_failure of the settings failed") == 2


def test_look_at_the_queue_of_a_cluster_that_fails(monkeypatch, caplog):
    monkeypatch.setattr(gs, "WAIT_PERIOD_QSTAT_PARSING", 0)
    queue, looks = Queue(), []

    def look():
        looks.append(1)
        if len(looks) == 3:
            queue.stop()
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(queue, "look", look)
    queue.keep_looking(PATIENCE)
    queue.start()
    wait_until(lambda: len(looks) == 3)
    wait_until(lambda: not any(thread.name == "squeue" for thread in threading.enumerate()))
    services.check()
    assert "Too many open files" in caplog.text


def test_queue_of_a_cluster_is_watched_in_every_run(monkeypatch):
    """A console may start several managers, one after the other."""
    monkeypatch.setattr(gs, "WAIT_PERIOD_QSTAT_PARSING", 0)
    queue, looks = Queue(), []
    monkeypatch.setattr(queue, "look", lambda: looks.append(1) or queue.stop())
    queue.keep_looking(PATIENCE)
    for run in (1, 2):
        queue.start()
        wait_until(lambda: not any(thread.name == "squeue" for thread in threading.enumerate()))
        assert len(looks) == run


# workers without a result --------------------------------------------------------------------------------------------
NOTHING = "def worker_wrapper(job, task_name, call):\n    return ['true']\n"


@pytest.mark.parametrize(
    ("settings", "tries"), [("", 1), ("RETRY_RULES = [{'pattern': 'without a result', 'times': 2}]\n", 3)]
)
def test_worker_that_does_nothing_counts_as_a_try(folder, settings, tries):
    (folder / "settings.py").write_text((folder / "settings.py").read_text() + NOTHING + settings)
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 1 and "the worker process ended by exit status 0 without a result" in output
    assert len((folder.job("Trivial") / "submit_log.run").read_text().splitlines()) == tries


CONTINUABLE = """
class Mine(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run", continuable=True)

    def run(self):
        with open("runs", "a") as f:
            f.write("x")
"""


def test_continuable_task_is_no_error(folder):
    """It never has a marker, and is started as often as one that is interrupted."""
    write(folder, CONTINUABLE, "def py():\n    tk.register_output('mine', Mine().out)")
    status, output = folder.sis("manager", "-r", "config/mine.py")
    assert status == 1 and "retry error" in output
    job = folder.job("Mine")
    assert (job / "work" / "runs").read_text() == "xxxx" and not (job / "error.run.1").exists()
    assert "ERROR" not in (job / "log.run.1").read_text()


def test_worker_that_leaves_no_trace_is_not_tried_for_ever(task, monkeypatch, caplog):
    """The manager takes the error of the second submission as one of the file system, which may pass."""

    def fails(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(task_process, "open", fails, raising=False)
    engine = LocalEngine(cpus=1)
    for _ in (1, 2):
        submit(engine, task, ["true"])
        wait_until(lambda: not engine._running)
        assert task.state(engine) == "runnable" and "No space left on device" in caplog.text
        with pytest.raises(OSError, match="could write neither its log nor a marker"):
            submit(engine, task, ["true"])


def test_wrapper_that_leaves_the_worker_running(task):
    """It ends at once, and the worker is still there."""
    with holder(task.path("log", 1)):
        process = watched(task)
        process.record_end(0)
        assert not os.path.exists(task.path("error", 1))
    process.record_end(0)
    assert os.path.exists(task.path("error", 1))


# who holds a log -----------------------------------------------------------------------------------------------------
CLAIMS = "import sys; from sisyphus.base.log_claim import claim; print(claim(sys.argv[1]), flush=True); input()"


class holder:
    """Context manager: a process that has claimed a log."""

    def __init__(self, log):
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(job_module.__file__))}
        pipe = subprocess.PIPE
        call = [sys.executable, "-c", CLAIMS, log]
        self.process = subprocess.Popen(call, stdin=pipe, stdout=pipe, text=True, env=environment)
        assert "True" in self.process.stdout.readline()

    def __enter__(self):
        return self.process.pid

    def __exit__(self, *_):
        self.process.communicate("\n")


def test_unknown_holder_of_a_log_is_named_once(task, monkeypatch, caplog):
    monkeypatch.setattr(localengine, "STARTING", 0)
    engine = LocalEngine()
    with holder(task.path("log", 1)) as pid:
        assert [task.state(engine) for _ in range(3)] == ["running"] * 3
        assert caplog.text.count(f"waits for process {pid} (") == 1 and CLAIMS[:20] in caplog.text
    assert task.state(engine) == "interrupted_not_resumable"


def test_second_worker_names_the_first(folder):
    process = folder.start("manager", "-r", "config.slow")
    worker = folder.wait_for("starts").read_text().strip()
    status, output = folder.sis("worker", str(folder.job("Slow")), "run", "1", "--redirect_output")
    assert status == 75 and f"process {worker} (" in output and "holds its log" in output
    (folder / "go").touch()
    assert process.wait(PATIENCE) == 0


def test_living_worker_and_its_copies_are_left_alone(task):
    with holder(task.path("log", 1)) as pid:
        log_claim.end_copies(task.path("log", 1))
        assert processes.start_time(pid) is not None


LEAVES_A_COPY = """
class Mine(Job):
    def __init__(self, how):
        self.how = how
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", resume="run")

    def run(self):
        if os.path.exists("copy"):
            open(self.out.get_path(), "w").close()
            return
        copy = os.fork()
        if copy == 0:
            if "session" in self.how:
                os.setsid()
            if "folder" in self.how:
                os.chdir("/")
            time.sleep(3600)
        with open("copy", "w") as f:
            f.write(str(copy))
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["", "session", "folder", "session and folder"])
def test_copy_of_a_killed_worker_is_ended(folder, how):
    """It holds the lock of the log, wherever it has moved to."""
    write(folder, LEAVES_A_COPY, f"def py():\n    tk.register_output('mine', Mine({how!r}).out)")
    status, output = folder.sis("manager", "-r", "config/mine.py")
    assert status == 0 and "interrupted" in output, output
    assert processes.start_time(int((folder.job("Mine") / "work" / "copy").read_text())) is None
