"""sis remove and clean; their questions at a terminal are in test_engine_terminal."""

import os
import shutil
import tarfile
import time
from pathlib import Path

import pytest
from patience import PATIENCE
from sisyphus import Job, cleaner, gs, tk
from sisyphus import job as job_module
from sisyphus.engine import EngineBase
from sisyphus.reading import lookup
from sisyphus.upkeep import busy, removal
from sisyphus.upkeep.lock import ManagerLock, WorkFolderLocked
from steps import Step, finished, folder_of


class Extends(Job):
    """Asks for a second input when the first is there."""

    def __init__(self, first):
        self.first = first
        self.out = self.output_path("out")

    def update(self):
        self.add_input(Step(99).out)

    def run(self):
        os.link(self.first, self.out)


@pytest.fixture
def graph(monkeypatch):
    from sisyphus.graph import graph

    monkeypatch.setattr(graph, "targets", [])
    return graph


def test_descendants_go_too(here):
    first, other = Step(1), Step(2)
    second = Step(3, [first.out])
    third = Step(4, [second.out])
    folders = finished(third, other)
    assert removal.with_descendants([folder_of(second)]) == sorted(map(folder_of, (second, third)))
    assert cleaner.clean_folder(folders[0]) is False, "it ended a moment ago"
    removed = removal.remove_folders(removal.with_descendants([folder_of(first)]), yes=True)
    assert len(removed) == 3 and list(lookup.job_folders()) == [folder_of(other)]
    assert not list(lookup.job_folders(cleared=True))


def test_descendants_are_known_without_links_to_inputs(here, monkeypatch):
    monkeypatch.setattr(gs, "JOB_CLEANUP_KEEP_INPUT", False)
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)
    first = Step(1)
    second = Step(2, [first.out])
    finished(second)
    assert cleaner.clean_job(second) and not os.path.exists(folder_of(second) + "/input")
    assert folder_of(second) in removal.with_descendants([folder_of(first)])


def test_nothing_goes_unasked(here, capsys):
    folders = finished(Step(1), Step(2))
    for answer in ("n", "", "no"):
        assert removal.remove_folders(folders, question=lambda text, a=answer: a) == []

    def nobody(text):
        raise EOFError

    assert removal.remove_folders(folders, question=nobody) == []
    assert removal.remove_folders(folders, "dryrun", yes=True) == []
    assert all(map(os.path.exists, folders)) and "2 job folders" in capsys.readouterr().out
    assert removal.remove_folders(folders, "move", question=lambda text: "y") == folders
    assert len(list(lookup.job_folders(cleared=True))) == 2 and not list(lookup.job_folders())


def test_what_runs_or_belongs_to_others_is_kept(here, tmp_path):
    running, imported, behind = Step(1), Step(2), Step(3)
    folders = finished(running, imported, behind)
    os.unlink(folders[0] + "/finished")
    os.unlink(folders[0] + "/finished.run.1")
    (tmp_path / "elsewhere").mkdir()
    os.rename(folders[1], tmp_path / "elsewhere" / "imported")
    os.symlink(tmp_path / "elsewhere" / "imported", folders[1])
    usage = {"host": "another-host", "pid": 1, "start_time": 1}
    with open(folders[0] + "/usage.run.1", "w") as f:
        f.write(repr(usage))
    assert lookup.folder_state(folders[0]) == "running", "another host has written its usage a moment ago"
    with pytest.raises(lookup.JobError, match="stop what runs"):
        removal.with_descendants(folders[:1])
    assert removal.remove_folders(folders[:2], yes=True) == folders[1:2]
    assert os.path.exists(folders[0]) and (tmp_path / "elsewhere" / "imported" / "output" / "out").exists()
    old = time.time() - 1000
    for name in ("usage.run.1", "log.run.1"):
        os.utime(f"{folders[0]}/{name}", (old, old))
    assert lookup.folder_state(folders[0]) == "unfinished"


def test_jobs_behind_a_linked_folder_are_kept(here, tmp_path):
    [folder] = finished(Step(1))
    kinds = os.path.dirname(folder)
    os.rename(kinds, tmp_path / "foreign")
    os.symlink(tmp_path / "foreign", kinds)
    assert list(lookup.job_folders()) == [folder]
    assert removal.remove_folders([folder], yes=True) == []
    assert cleaner.clean_folder(folder) and os.path.exists(folder + "/work/scratch"), "nor is it packed"


def test_what_waits_in_the_queue_of_a_cluster_is_kept(here, monkeypatch):
    class Cluster(EngineBase):
        def task_state(self, task, task_id):
            return "queue" if task.job.number == 1 else "unknown"

    monkeypatch.setattr(busy, "cached_engine", Cluster)
    queued, stopped = Step(1), Step(2)
    for job in (queued, stopped):
        job._sis_setup_directory()
        with open(folder_of(job) + "/submit_log.run", "w") as f:
            f.write("([1], {'engine_name': 'cluster'})\n")
    folders = [folder_of(queued), folder_of(stopped)]
    assert removal.remove_folders(folders, yes=True) == folders[1:]


def test_jobs_of_the_graph_stay_as_they_are(here, graph):
    """To look whether one of them is queued does not put the stored one, which knows no creators, in its place."""
    first = Step(1)
    second = Step(2, [first.out])
    second._sis_setup_directory()
    with open(folder_of(second) + "/submit_log.run", "w") as f:
        f.write("([1], {'engine_name': 'cluster'})\n")
    assert removal.remove_folders([folder_of(second)], "dryrun") == []
    assert second._sis_inputs == {first.out} and second._sis_creators() == [first]


def test_finished_job_is_not_cleared_beside_a_manager(folder):
    """It would not run again, and the jobs that need it would fail."""
    (folder / "config" / "c.py").write_text(
        "from kinds import Slow, Trivial\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('slow', Slow('one', Trivial(1).out).out)\n"
    )
    manager = folder.start("manager", "-r", "config/c.py")
    folder.wait_for("starts")
    status, output = folder.sis("rerun", "--force", "Trivial")
    assert status == 2 and "is finished, and managers look at such jobs only when they start" in output
    assert "another manager works on this folder" in output and (folder.job("Trivial") / "finished").exists()
    (folder / "go").touch()
    manager.communicate(timeout=PATIENCE)
    status, output = folder.sis("rerun", "--force", "--keep_work", "Trivial")
    assert status == 2 and "can only be run again without --keep_work" in output
    assert folder.sis("rerun", "--force", "Trivial")[0] == 0


def test_removals_refuse_to_work_beside_a_manager(folder):
    manager = folder.start("manager", "-r", "config.slow")
    folder.wait_for("starts")
    (folder / "work" / "kinds" / "Old.1" / "output").mkdir(parents=True)
    (folder / "work" / "kinds" / "Old.1" / "finished").touch()
    for command in (["remove", "Old", "--yes"], ["clean"], ["clean", "--unused", "config.chain(1)", "--yes"]):
        status, output = folder.sis(*command, SIS_WAIT_PERIOD_JOB_CLEANUP="0")
        assert status == 2 and "another manager works on this folder" in output, output
    status, output = folder.sis("remove", "Slow", "--yes")
    assert status == 2 and "stop what runs or is queued first: kinds/Slow" in output
    (folder / "go").touch()
    manager.communicate(timeout=PATIENCE)
    status, output = folder.sis("remove", "Slow")
    assert status == 1 and "--yes" in output and (folder / "output" / "slow").exists()
    assert folder.sis("remove", "Slow", "--yes")[0] == 0 and not (folder / "output" / "slow").exists()


def test_removals_refuse_beside_a_manager_of_another_setup_folder(folder, tmp_path):
    manager = folder.start("manager", "-r", "config.slow")
    folder.wait_for("starts")
    other = type(folder)(tmp_path / "other")
    shutil.copytree(folder.path, other.path, ignore=shutil.ignore_patterns("work", "go"))
    (other / "work").symlink_to(folder / "work")
    status, output = other.sis("clean", "--unused", "config.chain(1)", "--yes")
    assert status == 2 and f"in {folder.path}" in output
    (folder / "go").touch()
    manager.communicate(timeout=PATIENCE)
    assert folder.job("Slow") and other.sis("clean", "--unused", "config.chain(1)", "--yes")[0] == 0


def test_no_manager_starts_during_the_question(here):
    def start_one(text):
        with pytest.raises(WorkFolderLocked), ManagerLock():
            pass
        return "n"

    removal.remove_folders(finished(Step(1)), question=start_one)


# clean ---------------------------------------------------------------------------------------------------------------
def test_unused_jobs(here, graph):
    """What an ``update()`` asks for is used, also if the job that asks is finished."""
    used, unused = Extends(Step(1).out), Step(2)
    finished(used, unused)
    tk.register_output("x", used.out)
    job_module.created_jobs.pop(Step(99)._sis_id())
    assert removal.unused_folders() == [folder_of(unused)]
    cleaner.cleanup_unused("dryrun")
    graph.targets.clear()
    with pytest.raises(lookup.JobError, match="no output is registered"):
        removal.unused_folders()


def test_unused_jobs_of_a_job_that_waits(here, graph):
    """What its ``update()`` will ask for may be there already; nobody asks if only a finished job needs it."""
    waits = Extends(Step(2).out)
    finished(Extends(Step(1).out))
    tk.register_output("x", waits.out)
    with pytest.raises(removal.JobError, match=r"Extends\S+ needs is not known before its inputs are there"):
        removal.unused_folders()
    finished(Step(2))
    assert folder_of(Step(99)) not in removal.unused_folders()
    finished(last := Step(3, [waits.out]))
    graph.targets.clear()
    tk.register_output("x", last.out)
    for job in (waits, Step(2)):
        shutil.rmtree(folder_of(job))
        job._sis_reset()
    assert folder_of(Extends(Step(1).out)) in removal.unused_folders()


def test_name_of_the_work_folder_may_end_with_a_slash(folder):
    folder.sis("manager", "-r", "config.chain(2)", SIS_WORK_DIR="work/")
    status, output = folder.sis("clean", "--unused", "config.chain(2)", SIS_WORK_DIR="work/")
    assert status == 0 and "nothing to do" in output, output


def test_unused_jobs_of_a_config_that_waits(folder):
    folder.sis("manager", "-r", "config.chain(2)")
    status, output = folder.sis("clean", "--unused", "config.waits", "--yes")
    assert status == 2 and "async configs need is not known" in output
    status, output = folder.sis("clean", "--unused", "--yes")
    assert status == 2 and "name the configs" in output
    assert len(list((folder / "work").rglob("finished"))) == 2
    status, output = folder.sis("clean", "--unused", "config.chain(1)", "--yes")
    assert status == 0 and "1 job" not in output.replace("1 job folder\n", "")
    assert len(list((folder / "work").rglob("finished"))) == 1


def test_keep_values(here, graph):
    low, needed, high = Step(1).set_keep_value(10), Step(2).set_keep_value(10), Step(3)
    finished(low, needed, high)
    waiting = Step(4, [needed.out])
    for name, job in (("low", low), ("high", high), ("waiting", waiting)):
        tk.register_output(name, job.out)
    assert removal.folders_to_keep_below(50) == [folder_of(low)]
    assert sorted(removal.folders_to_keep_below(51)) == sorted([folder_of(low), folder_of(high)])


def test_cleared_folders(folder):
    folder.sis("manager", "-r", "config.fails('raise')")
    folder.sis("rerun", "Fails")
    status, output = folder.sis("clean", "--cleared")
    assert status == 1 and "Fails" in output and ".cleared.0001" in output
    assert folder.sis("clean", "--cleared", "--move", "--yes")[0] == 2
    assert folder.sis("clean", "--cleared", "--yes")[0] == 0
    assert not list((folder / "work").rglob("*.cleared.*")) and len(list((folder / "work").rglob("finished"))) == 1
    status, output = folder.sis("clean", "--cleared", "--yes")
    assert status == 0 and "nothing to do" in output


def test_packing(folder):
    folder.sis("manager", "-r", "config.chain(2)")
    status, output = folder.sis("clean", "--dry-run")
    assert status == 0 and "2 job folders" in output and not list((folder / "work").rglob("finished.tar.gz"))
    status, output = folder.sis("clean", SIS_WAIT_PERIOD_JOB_CLEANUP="100")
    assert status == 0 and "packed 0 job folders" in output and "2 ended a moment ago" in output
    status, output = folder.sis("clean", SIS_WAIT_PERIOD_JOB_CLEANUP="0")
    assert status == 0 and "packed 2 job folders" in output
    assert "nothing to do" in folder.sis("clean")[1]
    assert folder.sis("clean", "config.chain(2)")[0] == 2


# the automatic clean-up ----------------------------------------------------------------------------------------------
def clean_all(jobs):
    thread = cleaner.JobCleaner(lambda: jobs)
    thread._clean_all()
    return thread


def test_clean_up_of_a_job_that_vanished_or_cannot_be_written(here, monkeypatch, caplog):
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)
    gone, read_only, good = Step(1), Step(2), Step(3)
    folders = finished(gone, read_only, good)
    os.rename(folders[0], str(here / "elsewhere"))
    pack = cleaner._pack

    def refuse(base, names, archive):
        if base == folders[1]:
            raise OSError(30, "Read-only file system", base)
        pack(base, names, archive)

    monkeypatch.setattr(cleaner, "_pack", refuse)
    thread = clean_all([gone, read_only, good])
    assert "cannot clean up 1 finished jobs" in caplog.text and "Read-only" in caplog.text
    caplog.clear()
    thread._clean_all()
    assert not caplog.text, "it is said once"
    assert os.path.exists(folders[1] + "/work/scratch") and not os.path.exists(folders[2] + "/work")


@pytest.mark.parametrize("keep", [True, False])
def test_settings_that_keep(here, monkeypatch, keep):
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)
    monkeypatch.setattr(gs, "JOB_CLEANUP_KEEP_WORK", keep)
    monkeypatch.setattr(gs, "JOB_CLEANUP_KEEP_INPUT", keep)
    job = Step(2, [Step(1).out])
    [folder] = finished(job)
    clean_all([job])
    assert {"work", "input"} & set(os.listdir(folder)) == ({"work", "input"} if keep else set())
    assert not cleaner.is_open(folder) and os.path.exists(folder + "/output/out")


def test_clean_up_deletes_nothing_that_is_not_packed(here, monkeypatch):
    """Neither what a person added later, nor what an archive lacks that upstream was killed while writing."""
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)
    packed, broken = finished(Step(1), Step(2))
    for folder in (packed, broken):
        assert cleaner.clean_folder(folder)
    Path(packed, "notes.txt").write_text("mine")
    Path(packed, "log.run.1").write_text("left by a kill")
    assert cleaner.is_open(packed) and cleaner.clean_folder(packed) and not cleaner.is_open(packed)
    assert os.path.exists(f"{packed}/notes.txt") and not os.path.exists(f"{packed}/log.run.1")
    archive = Path(broken, "finished.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(broken)
    archive.write_bytes(archive.read_bytes()[:100])
    assert cleaner.is_open(broken) and cleaner.clean_folder(broken) and not cleaner.is_open(broken)
    with tarfile.open(archive) as tar:
        assert "job.save" in tar.getnames()
