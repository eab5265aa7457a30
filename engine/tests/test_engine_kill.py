"""Killed managers and workers: everything is resumed, nothing runs twice."""

import ast
import contextlib
import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import threading
import time

import psutil
import pytest
from patience import PATIENCE, wait_until
from sisyphus import Task, gs
from sisyphus.base import processes
from sisyphus.base.layout import move_aside, read_submissions
from sisyphus.base.log_claim import is_claimed
from sisyphus.base.usage_file import read_usage, runs_here
from sisyphus.localengine import LocalEngine
from sisyphus.run.usage_logger import UsageLogger
from sisyphus.upkeep import lock


def starts(folder):
    return folder.wait_for("starts").read_text().split()


def finish(folder, process):
    (folder / "go").touch()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert (folder / "output" / "slow").read_text() == "done\n"
    return output


def test_killed_worker_is_started_again(folder):
    process = folder.start("manager", "-r", "config.slow")
    first = int(starts(folder)[0])
    os.kill(first, signal.SIGKILL)
    folder.wait_for("log.run.1").read_text()
    wait_until(lambda: len(starts(folder)) == 2)
    output = finish(folder, process)
    assert "interrupted" in output and len(starts(folder)) == 2
    assert "SIGKILL" in (folder.job("Slow") / "log.run.1").read_text()


def test_killed_worker_that_cannot_resume(folder):
    """The next manager starts it in a new folder, never in the one with partial results."""
    process = folder.start("manager", "-r", "config.slow(False)")
    os.kill(int(starts(folder)[0]), signal.SIGKILL)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "interrupted not resumable" in output
    (folder / "go").touch()
    status, output = folder.sis("manager", "-r", "-io", "config.slow(False)")
    assert status == 1 and " started " not in output
    status, output = folder.sis("manager", "-r", "config.slow(False)")
    assert status == 0 and "cleared" in output
    assert sorted(len(p.read_text().split()) for p in (folder / "work").rglob("starts")) == [1, 1]


def test_command_of_a_killed_worker_is_ended(folder):
    """Otherwise it would write beside the command of the second start."""
    process = folder.start("manager", "-r", "config.child")
    children = folder.wait_for("children")
    first = int(children.read_text())
    os.kill(psutil.Process(first).ppid(), signal.SIGKILL)
    while len(children.read_text().split()) < 2:
        assert process.poll() is None, process.communicate()[0]
    assert processes.start_time(first) is None
    finish(folder, process)


def test_worker_stopped_a_moment_after_its_command(folder):
    """Slurm tells all processes of a job to end, in any order: the end of the command is no error of the task then."""
    process = folder.start("manager", "-r", "config.child")
    children = folder.wait_for("children")
    child = psutil.Process(int(children.read_text()))
    worker = child.parent()
    child.terminate()
    time.sleep(0.1)
    worker.terminate()
    while len(children.read_text().split()) < 2:
        assert process.poll() is None, process.communicate()[0]
    assert "interrupted" in finish(folder, process)


def test_command_of_a_worker_killed_together_with_the_manager(folder):
    process = folder.start("manager", "-r", "config.child")
    children = folder.wait_for("children")
    first = int(children.read_text())
    process.kill()
    process.wait()
    os.kill(psutil.Process(first).ppid(), signal.SIGKILL)
    assert processes.start_time(first) is not None
    again = folder.start("manager", "-r", "config.child")
    while len(children.read_text().split()) < 2:
        assert again.poll() is None, again.communicate()[0]
    assert processes.start_time(first) is None
    finish(folder, again)


def test_command_of_a_killed_worker_does_not_write_into_the_next_folder(here):
    folder = here / "work" / "kinds" / "Job.1"
    (folder / "work").mkdir(parents=True)
    command = subprocess.Popen(
        ["bash", "-c", "sleep 100000 & echo $!"],
        cwd=folder / "work",
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    child = int(command.stdout.readline())
    started = processes.start_time(command.pid)
    command.wait()
    usage = {"host": processes.hostname(), "pid": command.pid, "start_time": started}
    (folder / "usage.run.1").write_text(repr(usage))
    assert processes.start_time(child) is not None
    assert move_aside(str(folder)).endswith("Job.1.cleared.0001")
    wait_until(lambda: processes.start_time(child) is None)


@pytest.mark.parametrize("workers_too", [False, True])
def test_killed_again_and_again(folder, workers_too):
    """The manager (and its workers) are killed after 1, 3, 5, ... new files, until a run gets through."""
    undisturbed, kills = "0\n1\n2\n", 0
    while True:
        process = folder.start("manager", "-r", "config.diamond")
        enough = files(folder) + 2 * kills + 1
        while process.poll() is None and files(folder) < enough:
            time.sleep(0.001)
        if process.poll() is not None:
            break
        victims = [psutil.Process(process.pid)]
        if workers_too:
            victims += victims[0].children(recursive=True)
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        psutil.wait_procs(victims)
        kills += 1
    assert process.returncode == 0, process.communicate()[0]
    assert kills > 1
    assert (folder / "output" / "diamond").read_text() == undisturbed


def files(folder):
    return sum(len(names) for _, _, names in os.walk(folder / "work"))


def test_killed_manager_leaves_the_task_running(folder):
    """The next manager adopts the task: it is started once, and its end is noticed."""
    process = folder.start("manager", "-r", "config.slow")
    worker = int(starts(folder)[0])
    process.kill()
    process.wait()
    assert processes.start_time(worker) is not None
    again = folder.start("manager", "-r", "config.slow")
    while not (line := again.stdout.readline()).startswith("[") or " running     kinds/Slow" not in line:
        assert line and " started " not in line
    (folder / "go").touch()
    output, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0 and " started " not in output, output
    assert re.search(r" finished    kinds/Slow\.\w+ \(the/slow/one\)$", output, re.M), "nobody knows since when it ran"
    assert len(starts(folder)) == 1


def test_manager_and_worker_killed(folder):
    process = folder.start("manager", "-r", "config.slow")
    worker = int(starts(folder)[0])
    process.kill()
    os.kill(worker, signal.SIGKILL)
    process.wait()
    wait_until(lambda: processes.start_time(worker) is None)
    finish(folder, folder.start("manager", "-r", "config.slow"))
    assert len(starts(folder)) == 2


def test_interrupt_leaves_the_task_running(folder):
    process = folder.start("manager", "-r", "config.slow")
    starts(folder)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "still running" in output and "Traceback" not in output
    finish(folder, folder.start("manager", "-r", "config.slow"))
    assert len(starts(folder)) == 1


def test_failed_job_of_which_a_task_still_runs_is_not_cleared(folder):
    """What the task has written so far would be lost to it."""
    process = folder.start("manager", "-r", "config.fails_in_part")
    starts(folder), folder.wait_for("error.part.1", size=0)
    process.kill()
    process.wait()
    (folder / "repaired").touch()
    status, output = folder.sis("manager", "-r", "-co", "config.fails_in_part")
    assert status == 1 and output.count(" not cleared ") == 1 and " cleared   " not in output, output
    assert (folder.job("FailsInPart") / "work" / "starts").exists()
    (folder / "go").touch()
    folder.wait_for("finished.part.2", size=0)
    wait_until(lambda: not is_claimed(folder.job("FailsInPart") / "log.part.2"))  # its process has ended too
    status, output = folder.sis("manager", "-r", "-co", "config.fails_in_part")
    assert status == 0 and output.count(" cleared   ") == 1, output


def test_failed_job_is_cleared_as_soon_as_none_of_its_tasks_runs(folder):
    process = folder.start("manager", "-r", "config.fails_in_part", SIS_CLEAR_ERROR="True")
    starts(folder), folder.wait_for("error.part.1", size=0)
    output = ""
    for line in process.stdout:
        output += line
        if " not cleared " in line:
            time.sleep(2.5)  # two more cycles, in which it could be said again
            (folder / "repaired").touch()
            (folder / "go").touch()
    assert process.wait(PATIENCE) == 0 and output.count(" not cleared ") == output.count(" cleared   ") == 1, output


def test_second_manager_is_refused(folder):
    process = folder.start("manager", "-r", "config.slow")
    starts(folder)
    status, output = folder.sis("manager", "-r", "config.slow")
    assert status == 2 and f"process {process.pid} on host {processes.hostname()} since" in output
    status, output = folder.sis("rerun", "--force", "the/slow/one")
    assert status == 2 and "is running" in output
    finish(folder, process)


def test_lock_on_a_file_system_without_locks(here, monkeypatch):
    """The manager is then recognised by host, process id and start time."""

    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with lock.ManagerLock() as held:
        os.unlink("work/.manager.lock")
        held.touch()  # survives that somebody removed the file
    with lock.ManagerLock():
        with pytest.raises(lock.WorkFolderLocked, match=f"process {os.getpid()} on host"), lock.ManagerLock():
            pass
        monkeypatch.setattr(processes, "is_running", lambda *_: False)
        with lock.ManagerLock():
            pass


NONSENSE = [b"", b"\xff\xfe\x00", b"[1, 2]", b"null", b"{}", b"[" * 100_000, b'{"host": 7, "pid": 7}']
NONSENSE += [
    json.dumps({"host": processes.hostname(), "start_time": 1, **more}).encode()
    for more in ({}, {"pid": "\0"}, {"pid": -1}, {"pid": [1]})
]


@pytest.mark.parametrize("content", NONSENSE)
def test_lock_with_nonsense(here, monkeypatch, content):
    name = here / "work" / ".manager.lock"
    name.write_bytes(content)
    with lock.ManagerLock():
        assert json.loads(name.read_text())["pid"] == os.getpid()
        with open(name, "rb+") as file:
            file.truncate()
            file.write(content)
        monkeypatch.setattr(lock, "PATIENCE", 0)
        with pytest.raises(lock.WorkFolderLocked, match="another manager"), lock.ManagerLock():
            pass


def test_usage_file_with_nonsense(here):
    for content in (b"", b"\xff", b"[1, 2]", b"None", b"(" * 100_000, b"{'host': '%s', 'start_time': 1}"):
        (here / "usage").write_bytes(content.replace(b"%s", processes.hostname().encode()))
        assert runs_here(read_usage(str(here / "usage"))) is None


def test_lock_outlives_its_owner_for_a_moment(here, monkeypatch):
    """As when a manager is killed while it starts a process."""
    monkeypatch.setattr(lock, "PATIENCE", PATIENCE)
    owner = {"pid": 2**22 + 1, "host": processes.hostname(), "start_time": 1}
    with open("work/.manager.lock", "w") as file:
        json.dump(owner, file)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(0.2, file.close).start()
        with lock.ManagerLock():
            assert file.closed


@pytest.mark.parametrize("removed", [True, False])
def test_lock_that_another_host_took_over_stays(here, removed):
    """It was not touched for so long that somebody else took it for stale, or removed it."""
    with lock.ManagerLock():
        if removed:
            os.unlink("work/.manager.lock")
        with open("work/.manager.lock", "w") as file:
            json.dump({"host": "another"}, file)
    assert os.path.exists("work/.manager.lock")
    with pytest.raises(lock.WorkFolderLocked, match="another"), lock.ManagerLock():
        pass


def test_lock_of_a_killed_manager_is_stale(folder):
    process = folder.start("manager", "-r", "config.slow")
    starts(folder)
    process.kill()
    process.wait()
    assert (folder / "work" / ".manager.lock").exists()
    finish(folder, folder.start("manager", "-r", "config.slow"))


def test_reused_process_id_is_not_mistaken(folder):
    """The usage file of a dead worker names a process id that somebody else has now."""
    process = folder.start("manager", "-r", "config.slow")
    worker = int(starts(folder)[0])
    process.kill()
    process.wait()
    os.kill(worker, signal.SIGKILL)
    usage_file = folder.job("Slow") / "usage.run.1"
    usage = ast.literal_eval(usage_file.read_text())
    usage["pid"] = os.getpid()
    usage_file.write_text(repr(usage))
    finish(folder, folder.start("manager", "-r", "config.slow"))
    assert len(starts(folder)) == 2


def test_worker_refuses_to_run_beside_another(folder):
    process = folder.start("manager", "-r", "config.slow")
    starts(folder)
    status, _ = folder.sis("worker", str(folder.job("Slow")), "run", "1", "--redirect_output")
    assert status == 75
    finish(folder, process)
    assert len(starts(folder)) == 1


def test_running_jobs_are_adopted_with_what_they_use(folder):
    """A job that needs both CPUs does not start beside the adopted one."""
    (folder / "config" / "both.py").write_text(
        "from kinds import Slow\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('slow', Slow('one').out)\n    tk.register_output('big', Slow('big', cpu=2).out)\n"
    )
    process = folder.start("manager", "-r", "config.slow")
    starts(folder)
    process.kill()
    process.wait()
    again = folder.start("manager", "-r", "config/both.py")
    while "jobs finished" not in (line := again.stdout.readline()):
        assert line
    assert len(list((folder / "work").rglob("starts"))) == 1
    finish(folder, again)
    assert (folder / "output" / "big").exists()


def test_full_disk(here, monkeypatch, caplog):
    """It cuts lines, and what a task uses cannot be written: the task itself goes on, and its job has a state."""
    log = here / "submit_log.run"
    log.write_text("([1], {'cpu': 1})\n([1], {'cp")
    task = Task("run")
    monkeypatch.setattr(task, "_submit_log", lambda: str(log))
    for number in (2, 3):
        task._write_submission([number], {"cpu": number})
    assert read_submissions(str(log)) == [([number], {"cpu": number}) for number in (1, 2, 3)]
    usage = UsageLogger(str(here), "run", 1, LocalEngine())
    monkeypatch.setattr(gs, "PLOGGING_INTERVAL", 0.01)
    monkeypatch.setattr(gs, "PLOGGING_UPDATE_FILE_PERIOD", 0.01)
    replace, full = os.replace, threading.Event()

    def fails(*names):
        full.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    usage.start()
    assert full.wait(PATIENCE)
    monkeypatch.setattr(os, "replace", replace)
    (here / "usage.run.1").unlink()
    wait_until((here / "usage.run.1").exists)
    assert usage.is_alive() and "No space left on device" in caplog.text
    monkeypatch.setattr(os, "replace", fails)
    usage.stop()
    assert not [p for p in here.iterdir() if p.name.startswith(".")], "nothing half-written is left"


def test_user_without_a_name(here, monkeypatch):
    """As in a container that runs with the id of whoever starts it."""
    monkeypatch.setattr("getpass.getuser", lambda: {}["no such id"])
    UsageLogger(str(here), "run", 1, LocalEngine())
    assert read_usage(str(here / "usage.run.1"))["user"] == (str(os.getuid()),)
