"""Runs on a real Slurm of one node: whatever is killed, the workflow ends right and no task runs twice at once."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import PATIENCE

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # tests are imported without a package
from slurm_instance import Slurm, missing  # noqa: E402

from conftest import SetupFolder  # noqa: E402

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"Slurm is not installed, there is no {', '.join(missing())}"),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    made = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


class Workflow(SetupFolder):
    """A setup folder whose tasks run on ``slurm``."""

    def __init__(self, path, slurm):
        super().__init__(path)
        self.slurm = slurm
        self.output = ""

    def begin(self, config, **engine):
        process = self.start("manager", "-r", config, SLURM_CONF=str(self.slurm.config), TEST_ENGINE=repr(engine))
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def read(self, process):
        self.output += (process.stdout.buffer.read() or b"").decode()
        return self.output

    def wait_for_output(self, process, text):
        end = time.monotonic() + PATIENCE
        over = False
        while text not in self.read(process):
            assert not over, f"no {text!r} in {self.output}"
            over = process.poll() is not None or time.monotonic() > end  # it is read once more then
            time.sleep(0.1)

    def wait_for_events(self, *lines):
        def there():
            assert any(process.poll() is None for process in self.processes), self.read(self.processes[-1])
            return set(lines) <= set(self.events())

        self.slurm.wait_until(there, f"no {lines} in the events")

    def events(self):
        file = self / "events"
        return file.read_text().splitlines() if file.exists() else []

    def end(self, process, status=0):
        """Wait for the manager to end; nothing has run twice at once."""
        (self / "go").touch()
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            self.read(process)
            time.sleep(0.1)
        assert process.poll() == status, self.read(process)
        self.read(process)
        assert not [line for line in self.events() if "overlap" in line]
        return self.output

    def starts(self, name="one.0"):
        return self.events().count(f"start {name}")


@pytest.fixture
def folder(tmp_path, slurm):
    path = tmp_path / "setup"
    shutil.copytree(HERE / "slurm_folder", path)
    yield (made := Workflow(path, slurm))
    (path / "go").touch()
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.stdout.close()
        process.wait()
    with contextlib.suppress(subprocess.CalledProcessError):  # it is not drained
        slurm.run("scontrol", "update", f"nodename={slurm.host}", "state=resume")
    slurm.run("scancel", "-u", str(os.getuid()))
    slurm.wait_until(lambda: not slurm.jobs(), "jobs of the test do not end")


def kill(process):
    process.kill()
    process.wait()


def test_array_chain_and_local_tasks(folder):
    """Parallel tasks are one array; mini tasks run here; an impossible request is the error of its job alone."""
    process = folder.begin("config.mixed({'cpu': 2}, {'mem': 90000})")
    output = folder.end(process, status=1)
    assert (folder / "output" / "mixed").exists(), output
    assert "Requested node configuration is not available" in output and "mem=90000" in output
    assert output.count("FAILED ") == 1 and "not made: beside" in output
    first = next(p for p in (folder / "work").rglob("submit_log.run") if "[1, 2]" in p.read_text()).parent
    assert len(list((first / "engine").iterdir())) == 2
    assert (first / "log.run.1").samefile(next((first / "engine").glob("*.1")))
    assert "Job finished successfully" in (first / "log.join.1").read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_manager_ends_and_the_next_one_takes_over(folder, how):
    process = folder.begin("config.one({'wait': True, 'ids': 3})")
    folder.wait_for_events("start one.0", "start one.1", "start one.2")
    process.send_signal(how)
    process.wait(PATIENCE)
    again = folder.begin("config.one({'wait': True, 'ids': 3})")
    folder.wait_for_output(again, "1 running")
    folder.end(again)
    assert sorted(folder.events()) == sorted(f"{what} one.{i}" for what in ("start", "end") for i in range(3))


def test_manager_killed_between_submission_and_its_record(folder):
    """The next manager finds the job in the queue and writes the line that is missing."""
    process = folder.begin("config.one({'wait': True})")
    folder.wait_for_events("start one.0")
    kill(process)
    (log,) = (folder / "work").rglob("submit_log.run")
    line = log.read_text()
    log.unlink()
    again = folder.begin("config.one({'wait': True})")
    folder.wait_for_output(again, "is in the queue already")
    assert log.read_text() == line.replace("'completed_fraction': 0.0", "'completed_fraction': None")
    folder.end(again)
    assert folder.starts() == 1


def test_cancelled(folder):
    process = folder.begin("config.one({'wait': True})")
    folder.wait_for_events("start one.0")
    (log,) = (folder / "work").rglob("log.run.1")
    first = log.resolve().stat().st_ino
    folder.slurm.run("scancel", folder.slurm.jobs("RUNNING")[0][0])
    folder.slurm.wait_until(lambda: folder.starts() == 2, "it is not started again")
    output = folder.end(process)
    assert "interrupted resumable (CANCELLED, Slurm job" in output
    (ended,) = [p for p in (folder / "work").rglob("engine/*") if p.stat().st_ino == first]
    assert "the worker ended without a result (CANCELLED" in ended.read_text()
    lines = next((folder / "work").rglob("submit_log.run")).read_text().splitlines()
    assert len(lines) == 2 and "'ended': {1: 'CANCELLED'}" in lines[1]
    assert all("'mem': 0.1, 'time': 0.1" in line for line in lines), "nothing is raised"


def test_cancelled_without_resume(folder):
    process = folder.begin("config.one({'wait': True, 'resume': False})")
    folder.wait_for_events("start one.0")
    folder.slurm.run("scancel", folder.slurm.jobs("RUNNING")[0][0])
    output = folder.end(process, status=1)
    assert "interrupted not resumable (CANCELLED" in output and folder.starts() == 1


def test_too_little_memory(folder):
    process = folder.begin("config.one({'eats': 130})", limits={"mem": 0.5})
    output = folder.end(process)
    assert "interrupted resumable (OUT_OF_MEMORY" in output
    lines = next((folder / "work").rglob("submit_log.run")).read_text().splitlines()
    assert len(lines) == 2 and "'mem': 0.2, 'time': 0.1" in lines[1]


def test_too_little_memory_at_the_limit(folder):
    process = folder.begin("config.one({'eats': 400})", limits={"mem": 0.15})
    output = folder.end(process, status=1)
    assert folder.starts() == 2
    assert "ended by OUT_OF_MEMORY with mem=0.15" in output and "limits={'mem': 0.15}: raise the limit" in output


@pytest.mark.slow
def test_too_little_time(folder):
    process = folder.begin("config.one({'attempts': 2, 'rqmt': {'time': 0.01}})", limits={"time": 0.015})
    output = folder.end(process)
    assert "interrupted resumable (TIMEOUT" in output
    lines = next((folder / "work").rglob("submit_log.run")).read_text().splitlines()
    assert len(lines) == 2 and "'time': 0.015" in lines[1] and "'mem': 0.1" in lines[1]


def test_drained_node(folder):
    """What runs goes on, what waits waits, and starts when the node is back."""
    process = folder.begin("config.several(2, {'wait': True, 'rqmt': {'cpu': 3}})")
    folder.slurm.wait_until(lambda: len(folder.events()) == 1, "none starts")
    folder.slurm.run("scontrol", "update", f"nodename={folder.slurm.host}", "state=drain", "reason=test")
    (folder / "go").touch()
    folder.slurm.wait_until(lambda: len(folder.events()) == 2, "it does not end")
    folder.wait_for_output(process, "in the queue, but cannot start: Nodes required for job")
    assert len(folder.slurm.jobs("PENDING")) == 1
    folder.slurm.run("scontrol", "update", f"nodename={folder.slurm.host}", "state=resume")
    folder.end(process)
    assert len(folder.events()) == 4


def test_held_job(folder):
    process = folder.begin("config.several(2, {})", sbatch_args="--hold")
    folder.wait_for_output(process, "queue error (JobHeldUser")
    folder.end(process, status=1)


def test_controller_away_for_a_while(folder):
    """Nothing is taken as ended and nothing is submitted meanwhile."""
    process = folder.begin("config.several(2, {'wait': True})")
    folder.wait_for_events("start job0.0", "start job1.0")
    folder.slurm.stop_daemon("slurmctld")
    folder.wait_for_output(process, "s old, and nothing is taken as ended")
    time.sleep(3)
    (folder / "go").touch()
    folder.wait_for_events("end job0.0", "end job1.0")
    folder.slurm.start_daemon("slurmctld")
    output = folder.end(process)
    assert "squeue answers again" in output and "interrupted" not in output
    assert sorted(folder.events()) == ["end job0.0", "end job1.0", "start job0.0", "start job1.0"]


def test_manager_started_while_the_controller_is_away(folder):
    process = folder.begin("config.one({'wait': True})")
    folder.wait_for_events("start one.0")
    kill(process)
    folder.slurm.stop_daemon("slurmctld")
    again = folder.begin("config.one({'wait': True})")
    folder.wait_for_output(again, "states of jobs are not known")
    folder.slurm.start_daemon("slurmctld")
    folder.end(again)
    assert folder.starts() == 1


def test_hanging_controller(folder):
    """As an overloaded one: the submission gets through after sbatch was given up."""
    process = folder.begin("config.several(3, {'wait': True})", max_jobs=1)
    folder.slurm.wait_until(lambda: len(folder.events()) == 1, "none starts")
    controller = folder.slurm.daemons["slurmctld"]
    controller.send_signal(signal.SIGSTOP)
    (folder / "go").touch()
    folder.slurm.wait_until(lambda: len(folder.events()) == 2, "it does not end")
    time.sleep(12)
    controller.send_signal(signal.SIGCONT)
    folder.end(process)
    assert sorted(folder.events()) == sorted(f"{what} job{i}.0" for what in ("start", "end") for i in range(3))


@pytest.mark.parametrize(("before", "after"), [("sleep 15", ""), ("", "sleep 60")], ids=["slow", "cut"])
def test_submission_without_an_answer(folder, before, after, monkeypatch):
    """sbatch takes longer than it is given, before or after the job is in the queue."""
    wrapper = folder / "bin" / "sbatch"
    wrapper.parent.mkdir()
    once = f"[ -e {folder.path}/once ] || {{ touch {folder.path}/once; slow=1; }}"
    real = shutil.which("sbatch")
    wrapper.write_text(
        f'#!/bin/bash\n{once}\n[ -z "$slow" ] || {before or ":"}\nout=$({real} "$@")\nstatus=$?\n'
        f'[ -z "$slow" ] || {after or ":"}\necho "$out"\nexit $status\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    process = folder.begin("config.one({'ids': 2, 'wait': True})")
    folder.wait_for_events("start one.0", "start one.1")
    if after:
        folder.wait_for_output(process, "is in the queue already")
    output = folder.end(process)
    assert "sbatch did not end within 10 s; it is looked for in the queue" in output
    assert sorted(folder.events()) == ["end one.0", "end one.1", "start one.0", "start one.1"]
    assert len(next((folder / "work").rglob("submit_log.run")).read_text().splitlines()) == 1


def test_most_jobs_in_the_queue(folder):
    process = folder.begin("config.one({'ids': 7})", max_jobs=3)
    most = 0
    while process.poll() is None:
        most = max(most, len(folder.slurm.jobs()))
    folder.end(process)
    assert most == 3 and folder.events().count("end one.6") == 1


@pytest.mark.parametrize("marked", [False, True], ids=["runs", "finished"])
def test_second_submission_of_one_task(folder, marked):
    """However it came about, its worker notices that another one runs or has finished, and does no harm."""
    process = folder.begin("config.one({'wait': True})")
    folder.wait_for_events("start one.0")
    job = next((folder / "work").rglob("log.run.1")).parent
    if marked:
        folder.end(process)
    before = (job / "log.run.1").read_bytes()
    call = [sys.executable, "-m", "sisyphus", "worker", "--engine", "long", os.path.relpath(job, folder.path), "run"]
    environment = {**folder.slurm.env, "PYTHONPATH": str(HERE.parent), "SIS_GLOBAL_SETTINGS_FILE": "settings.py"}
    name = next((job / "engine").iterdir()).name.rsplit(".", 2)[0]
    options = ["-J", name, "-o", f"{job}/engine/%x.%A.%a", "-a", "1", "--mem=100"]
    out = subprocess.run(
        ["sbatch", "--wait", *options, "--wrap", " ".join(call)],
        env=environment,
        cwd=folder.path,
        capture_output=True,
        text=True,
    )
    assert out.returncode == 75, out
    assert (job / "log.run.1").read_bytes() == before
    assert any("stops" in p.read_text() for p in (job / "engine").iterdir())
    if not marked:
        output = folder.end(process)
        assert "interrupted" not in output
    assert folder.starts() == 1


@pytest.mark.slow
def test_node_is_lost(folder):
    """slurmd is killed: the task may run on, and is not started again as long as it does."""
    process = folder.begin("config.one({'wait': True})")
    folder.wait_for_events("start one.0")
    folder.slurm.stop_daemon("slurmd", signal.SIGKILL)
    folder.slurm.wait_until(lambda: not folder.slurm.jobs("RUNNING"), "the node is not missed")
    time.sleep(3)
    assert folder.starts() == 1
    folder.slurm.start_daemon("slurmd")
    output = folder.end(process)
    assert folder.events().count("end one.0") == 1, output
