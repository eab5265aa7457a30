"""Of several workers of one task id, on any hosts, one runs; the others leave everything as it is."""

import concurrent.futures
import errno
import os
import threading

import pytest
from sisyphus import Job
from sisyphus.slurm import claim as slurm_claim
from sisyphus.slurm.engine import SlurmEngine
from slurm_fake import FakeSlurm


@pytest.fixture
def job(tmp_path):
    (tmp_path / "engine").mkdir()
    return tmp_path


def own(job, number, text="mine\n"):
    path = job / "engine" / f"x.run.{number}.1"
    path.write_text(text)
    return str(path)


def claim(job, number, alive=lambda _: False):
    return slurm_claim.claim(own(job, number), str(job / "log.run.1"), alive)


def owner(job):
    return slurm_claim.owner_of(str(job / "log.run.1"), str(job / "engine"))


def test_first_worker(job):
    assert claim(job, 5, alive=None) and owner(job) == (5, 1)


def test_after_a_worker_that_has_ended(job):
    assert claim(job, 5) and claim(job, 6)
    assert owner(job) == (6, 1) and (job / "engine" / "x.run.5.1").read_text() == "mine\n"
    assert sorted(p.name for p in (job / "engine").iterdir()) == ["x.run.5.1", "x.run.6.1"]


def test_beside_a_worker_that_runs(job):
    assert claim(job, 5)
    assert not claim(job, 6, alive=lambda _: True) and owner(job) == (5, 1)


def test_started_again_by_the_cluster(job):
    log = str(job / "log.run.1")
    name = own(job, 5)
    assert slurm_claim.claim(name, log, None) and slurm_claim.claim(name, log, None)


def test_log_of_another_engine_is_kept(job):
    (job / "log.run.1").write_text("local\n")
    assert owner(job) is None
    assert claim(job, 6) and owner(job) == (6, 1)
    assert (job / "engine" / "x.run.6.1.before").read_text() == "local\n"


def test_another_worker_was_faster(job):
    """It took the log between the question whether its owner runs and the answer."""
    claim(job, 5)
    faster = own(job, 7)

    def alive(log):
        if owner(job) == (5, 1):
            assert slurm_claim.claim(faster, log, lambda _: False)
            return False
        return True

    assert not claim(job, 6, alive) and owner(job) == (7, 1)


def test_successor_that_was_killed_meanwhile(job):
    """Between its claim and its link, so that the log is still that of the one before."""
    claim(job, 5)
    killed = own(job, 7)
    os.link(killed, job / "engine" / f".{os.stat(job / 'log.run.1').st_ino}.next")
    assert claim(job, 6) and owner(job) == (6, 1)


@pytest.mark.parametrize("after_a_dead_one", [False, True])
def test_one_of_many_at_once(job, after_a_dead_one):
    count = 6
    for round_ in range(10):
        log = job / "log.run.1"
        log.unlink(missing_ok=True)
        if after_a_dead_one:
            claim(job, 1)
        names = [own(job, 1000 + round_ * count + k) for k in range(count)]
        together = threading.Barrier(count)

        def alive(log):
            owner = slurm_claim.owner_of(log, job / "engine")  # None of a lock that has just been removed
            return owner is not None and owner[0] >= 1000

        def take(name, together=together, log=str(log)):
            together.wait()
            return slurm_claim.claim(name, log, alive)

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            won = list(pool.map(take, names))
        assert won.count(True) == 1
        assert log.samefile(names[won.index(True)])


def test_file_system_without_hard_links(job, monkeypatch):
    def link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert claim(job, 5) and (job / "log.run.1").is_symlink() and owner(job) == (5, 1)
    assert not claim(job, 6, alive=lambda _: True)
    assert claim(job, 7) and owner(job) == (7, 1)


class Link(Job):
    def __init__(self, number):
        self.number = number

    def run(self):
        """Never called here."""


def task(number):
    return Link(number)._sis_tasks()[0]


@pytest.fixture
def worker(here, job, monkeypatch):
    """Claims as the worker of job 6, while job 5 has the log and no process of this host runs."""
    fake = FakeSlurm(here / "fake")
    monkeypatch.setenv("PATH", f"{fake.bin}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_JOB_NAME", "x.run")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "6")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    os.link(own(job, 5), job / "log.run.1")
    own(job, 6)
    fake.claim = lambda: SlurmEngine().claim(str(job), "run", 1)
    return fake


@pytest.mark.parametrize(
    ("says", "alone"),
    [("RUNNING\n", False), ("COMPLETING\n", False), ("PENDING\n", False), ("NODE_FAIL\n", True), ("", True)],
)
def test_the_queue_knows_the_other_one(worker, job, says, alone):
    worker.says("squeue", says)
    assert worker.claim() is alone
    assert owner(job) == ((6, 1) if alone else (5, 1))
    assert worker.calls("squeue")[0][-1] == "5_1"


def test_the_queue_has_forgotten_the_other_one(worker):
    worker.fails("squeue", "slurm_load_jobs error: Invalid job id specified")
    assert worker.claim()


@pytest.mark.parametrize("old", [False, True])
def test_no_queue_to_ask(worker, job, old):
    """As on a node without Slurm's commands: the age of the files decides."""
    worker.fails("squeue", "Unable to contact slurm controller")
    (job / "usage.run.1").write_text(repr({"host": "node7", "pid": 1}))
    if old:
        for name in ("usage.run.1", "log.run.1"):
            os.utime(job / name, (1, 1))
    assert worker.claim() is old


def test_finished_meanwhile(worker, job, caplog):
    (job / "finished.run.1").touch()
    assert not worker.claim() and owner(job) == (5, 1)
    assert "is finished, this process stops" in caplog.text


def test_processes_of_one_job(worker, job, monkeypatch):
    """Of those on several nodes the first has the log and says that the task is finished."""
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    os.rename(own(job, 6), job / "engine" / "x.run.6.1.0")
    first, second = task(1), task(2)
    monkeypatch.setenv("SLURM_PROCID", "1")
    SlurmEngine().init_worker(second)
    assert worker.claim() and owner(job) == (5, 1) and second.continuable
    monkeypatch.setenv("SLURM_PROCID", "0")
    SlurmEngine().init_worker(first)
    assert worker.claim() and owner(job) == (6, 1) and not first.continuable


SLURM = """

def engine():
    from sisyphus.slurm import SlurmEngine

    return SlurmEngine()
"""


@pytest.mark.parametrize("number", ["0", "1"])
def test_all_processes_of_one_job_end_well(folder, number):
    """The first one to end otherwise would end the others, because srun kills on a bad exit."""
    assert folder.sis("manager", "-r", "config.chain(1)")[0] == 0
    job = folder.job("Trivial")
    for name in ("finished", "finished.run.1", "log.run.1", "usage.run.1"):
        (job / name).unlink()
    (folder / "settings.py").write_text((folder / "settings.py").read_text() + SLURM)
    of_the_step = {"SLURM_PROCID": number, "SLURM_STEP_NUM_TASKS": "2"}
    status, output = folder.sis("worker", str(job.relative_to(folder.path)), "run", "1", **of_the_step)
    assert status == 0, output
    assert (job / "finished.run.1").exists() == (number == "0")


def test_by_hand(worker, job, monkeypatch):
    """``sis worker`` outside of a job takes its id from the command line."""
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID")
    assert worker.claim() and SlurmEngine().get_task_id(3) == 3
    assert SlurmEngine().get_task_id(None) == 1
