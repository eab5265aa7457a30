"""sis find, info, remove and clean; the terminal's side of removals is in test_engine_terminal."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree
from pathlib import Path

import pytest
from patience import PATIENCE
from sisyphus import Job, cleaner, gs, tk
from sisyphus import job as job_module
from sisyphus.engine import EngineBase
from sisyphus.reading import lookup
from sisyphus.upkeep import busy, removal
from sisyphus.upkeep.lock import ManagerLock, WorkFolderLocked


class Step(Job):
    def __init__(self, number, inputs=()):
        self.number = number
        self.inputs = inputs
        self.out = self.output_path("out")

    def run(self):
        with open("scratch", "w") as f:
            f.write("x" * 1000)
        with open(self.out, "w") as f:
            f.write("done")


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


def folder_of(job):
    return job._sis_path(abspath=True)


def finished(*jobs):
    tk.run([job.out for job in jobs], quiet=True)
    return [folder_of(job) for job in jobs]


# find and info -------------------------------------------------------------------------------------------------------
def test_find_by_all_names(folder):
    (folder / "go").touch()
    folder.sis("manager", "-r", "config.slow_and_fails")
    for pattern in ("kinds/Slow*", "low", "output/slow", "slow", folder.job("Slow").name):
        status, output = folder.sis("find", pattern)
        assert status == 0 and output.split()[:1] == ["finished"] and "output/slow" in output, output
    status, output = folder.sis("find", "")
    assert output.count("\n") == 2 and "failed      kinds/Fails" in output
    assert folder.sis("find", "nothing like that") == (1, "")
    for pattern in ("low", "./output/slow", f"{folder.path}/output/slow"):
        status, output = folder.sis("find", pattern, "config.slow")
        assert status == 0 and "alias/the/slow/one" in output
    status, output = folder.sis("find", "chain", "config.chain(2)")
    assert status == 0 and output.splitlines()[-1].startswith("waiting ")
    assert folder.sis("find", "x", "config.broken")[0] == 2


def test_info(folder):
    (folder / "data").mkdir()
    folder.sis("manager", "-r", "config.fails('raise')")
    log = folder.job("Fails") / "log.run.1"
    for pattern in ("Fails", str(log), os.path.relpath(log, folder.path)):
        status, output = folder.sis("info", pattern)
        assert status == 0, output
    lines = [line.strip() for line in output.splitlines()]
    assert "state     error: task run 1: error, ValueError: utterance 17 is broken" in lines
    assert "made in   config/__init__.py:17" in lines and "how = raise" in lines
    assert any(line.startswith("1: error, 0.") and "of 1:00:00" in line and "of 1 GB" in line for line in lines)
    assert "| ValueError: utterance 17 is broken" in lines
    shown = {n: folder.sis("info", "Fails", "-n", str(n))[1] for n in (3, 0)}
    assert {n: output.count("    | ") for n, output in shown.items()} == {3: 3, 0: 0} and "Uname" not in shown[3]
    status, output = folder.sis("info", "fails", "config.fails('raise')")
    assert status == 0 and "state     waiting" in output and "(not made yet)" in output
    assert "error      kinds/Fails" in output
    status, output = folder.sis("info", "kinds/", "config.fails('raise')")
    assert status == 2 and "it matches 3:" in output and "waiting    kinds/Trivial" in output
    status, output = folder.sis("info", "no such job")
    assert status == 2 and "no job matches" in output


def test_info_of_a_packed_job_with_users(folder):
    folder.sis("manager", "-r", "config.diamond")
    first = next(p.parent.name for p in (folder / "work").rglob("info") if "number: 0" in p.read_text())
    assert folder.sis("clean", SIS_WAIT_PERIOD_JOB_CLEANUP="0")[0] == 0
    status, output = folder.sis("info", f"kinds/{first}")
    assert status == 0, output
    used_by = output.split("  used by\n")[1].split("  task")[0].splitlines()
    assert len(used_by) == 3 and all("finished   kinds/" in line for line in used_by)
    assert "| " in output and "2 B  out" in output, "log and sizes of a packed job"


def test_info_of_a_setup_folder_that_was_moved(folder):
    folder.sis("manager", "-r", "config.chain(1)")
    moved = type(folder)(folder.path.rename(folder.path.parent / "moved"))
    folder.path.mkdir()  # for the fixture
    status, output = moved.sis("info", "Trivial")
    assert status == 0 and "  outputs\n          2 B  out\n" in output, output


def test_info_of_a_job_whose_archive_was_cut(folder):
    """Upstream packs in place: it may have been killed meanwhile."""
    folder.sis("manager", "-r", "config.chain(1)")
    archive = folder.job("Trivial") / "finished.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "config", "config")
    archive.write_bytes(archive.read_bytes()[:400])
    (archive.parent / "finished").unlink()
    status, output = folder.sis("info", "Trivial")
    assert status == 0 and "state     finished" in output, output


def test_info_of_a_job_that_was_not_submitted(folder):
    """It asks for more than there is."""
    folder.sis("manager", "-r", "config.asks({'cpu': 99})")
    status, output = folder.sis("info", "Asks")
    assert status == 0 and "task run: 1 not started\n    1: not started" in output, output


def test_names_that_are_no_text(folder):
    """Files may be called by any bytes."""
    (folder / "config" / "c.py").write_text(
        "from kinds import Asks, Outputs\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('a', Outputs(['a', 'number', 'folder/\\udcff.txt']).a)\n"
    )
    status, output = folder.sis("manager", "-r", "config/c.py")
    assert status == 0, output
    status, output = folder.sis("info", "Outputs")
    assert status == 0 and "folder/\\udcff.txt" in output and "write = ['a'" in output, output


def test_interrupted_commands_end_without_a_word(folder):
    (folder / "config" / "slow.py").write_text(
        "import time\n\n\ndef py():\n    print('loading', flush=True)\n    time.sleep(100_000)\n"
    )
    folder.sis("manager", "-r", "config.fails('raise')")
    for command in (["find", "x"], ["clean", "--unused"], ["rerun", "Fails"]):
        process = folder.start(*command, "config/slow.py")
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE)[0] == "" and process.returncode == 130


def test_interrupt_while_the_engine_is_loaded(folder):
    """Before a command has begun, there is nobody who catches it. A shell shows both statuses as 130."""
    (folder / "settings.py").write_text("import os, signal\n\nos.kill(os.getpid(), signal.SIGINT)\n")
    for command in (["manager", "-r", "config.chain(1)"], ["find", "x"], ["worker", "work/x", "run", "1"]):
        assert folder.sis(*command) == (-signal.SIGINT, "")


def test_interrupted_console_ends_without_a_word(folder):
    command = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    assert folder.sis("console", "--skip_config", "-s", "-c", command) in [(-signal.SIGINT, ""), (130, "")]


def test_interrupt_is_the_business_of_who_loads_the_engine(folder):
    """Only the command changes what Ctrl-C does."""
    program = "import signal, sisyphus; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", program], preexec_fn=with_interrupts, text=True) == "True\n"


def with_interrupts():
    """A shell starts background jobs, perhaps these tests, with Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_info_says_where_a_recipe_made_a_job(folder):
    (folder / "recipe" / "helper.py").write_text("from kinds import Trivial\n\n\ndef make():\n    return Trivial(7)\n")
    (folder / "config" / "c.py").write_text(
        "from sisyphus import tk\nimport helper\n\nat_import = helper.make()\n\n\n"
        "def py():\n    tk.register_output('x', at_import.out)\n\n\n"
        "async def later():\n    tk.register_output('y', at_import.out)\n    import kinds\n"
        "    tk.register_output('z', kinds.Trivial(8).out)\n"
    )
    assert folder.sis("manager", "-r", "config/c.py", "config.c.later")[0] == 0
    infos = {p.read_text().split("number: ")[1][0]: p.read_text() for p in (folder / "work").rglob("info")}
    assert "MADE IN: recipe/helper.py:5, from config/c.py:4\n" in infos["7"]
    assert "MADE IN: config/c.py:14\n" in infos["8"]


def test_timeline(folder):
    status, output = folder.sis("timeline", "when.svg")
    assert status == 1 and "no job has run" in output
    status, output = folder.sis("manager", "-r", "config.chain(2)")
    assert status == 0, output
    for configs, bars in (((), 2), (("config.chain(1)",), 1)):
        status, output = folder.sis("timeline", "when.svg", *configs)
        assert status == 0, output
        root = xml.etree.ElementTree.fromstring((folder / "when.svg").read_text())
        assert len(root.findall(".//{http://www.w3.org/2000/svg}rect")) == bars


def test_names_match_whole_before_parts(here):
    names = {"a": ["kinds/Train.x", "alias/train"], "b": ["kinds/Train.xy", "alias/train/more", "output/wer"]}
    assert lookup.matching("train", names) == ["a"]
    assert lookup.matching("alias/train/", names) == ["a"]
    assert lookup.matching("wer", names) == ["b"]
    assert lookup.matching("Train", names) == ["a", "b"]
    assert lookup.matching("*.xy", names) == ["b"]
    assert lookup.matching("Train*", names) == ["a", "b"], "a shell pattern may leave out the module"
    assert lookup.matching("dev", names) == []


def test_names_as_a_shell_completes_them(here):
    [folder] = finished(Step(1), Step(2))[:1]
    for link, target in (("alias/a/job", folder), ("output/a", f"{folder}/output/out")):
        os.makedirs(os.path.dirname(link))
        os.symlink(target, link)
    for name in ("alias/a/job", "output/a", "alias/a/job/log.run.1", "alias/a/job/output/out"):
        for begin in ("", "./", f"{here}/"):
            assert lookup.find_folders(begin + name) == [folder]
    assert len(lookup.find_folders("")) == 2


def test_owner_of_a_path():
    ids = {"a/B.1": 0, "output/B.1": 1}
    assert lookup.owner_of("/moved/work/a/B.1/output/x/output/y", ids) == "a/B.1"
    assert lookup.owner_of("/somewhere/work/a/B.12/output", ids) is None
    assert lookup.owner_of("/setup/output/work/output/B.1", ids) == "output/B.1"


def test_links_in_circles_are_followed_once(here):
    [folder] = finished(Step(1))
    os.symlink(here / "work", here / "work" / "circle")
    os.symlink(os.path.dirname(folder), here / "work" / "other")
    os.symlink(os.path.dirname(folder), here / "work" / "another")
    assert folder in list(lookup.job_folders()) and len(list(lookup.job_folders())) <= 2


# remove --------------------------------------------------------------------------------------------------------------
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


def test_info_of_a_queued_job(here, monkeypatch):
    from sisyphus.cli.job_text import StoredJobs, describe

    monkeypatch.setattr(busy, "cached_engine", lambda: engine)
    engine = EngineBase()
    engine.task_state = lambda task, i: "queue"
    job = Step(1)
    job._sis_setup_directory()
    with open(folder_of(job) + "/submit_log.run", "w") as f:
        f.write("([1], {'cpu': 2, 'mem': 1.5, 'engine_name': 'cluster', 'engine_info': None})\n")
    known = StoredJobs()
    lines = [line.strip() for line in describe(known.load(folder_of(job)), known, 5)]
    assert "state     queue" in lines and "task run: 1 queued" in lines
    assert "1 submissions, the last one: ids 1 to cluster for cpu 2, mem 1.5 GB" in lines


def test_reader_that_has_seen_enough(folder):
    folder.sis("manager", "-r", "config.chain(3)")
    process = folder.start("find", "")
    process.stdout.close()
    assert process.wait(PATIENCE) == 0


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


def test_shortcuts_of_upstream(folder):
    folder.sis("manager", "-r", "config.chain(2)")
    status, output = folder.sis("--config", "config.chain(1)", "shortcut", "clean_unused")
    assert status == 0 and "Remove 1 job folder? (y/N)" in output
    assert folder.sis("--config", "config.waits", "shortcut", "clean_unused")[0] == 2
    for name in ("clean_by_keep_value", "remove_job_and_descendants"):
        status, output = folder.sis(
            "--config", "config.chain(2)", "shortcut", name, "90" if "value" in name else "Triv"
        )
        assert status == 0 and "Remove 2 job folders? (y/N)" in output, output
    assert len(list((folder / "work").rglob("finished"))) == 2


def test_names_below_a_folder_of_their_own(folder):
    """With a config as without, ``find`` knows the links by their names."""
    below = {"SIS_ALIAS_AND_OUTPUT_SUBDIR": "part"}
    (folder / "go").touch()
    assert folder.sis("manager", "-r", "config.slow", **below)[0] == 0
    for name in ("alias/part/the/slow", "output/part/slow"):
        for configs in ([], ["config.slow"]):
            status, output = folder.sis("find", name, *configs, **below)
            assert status == 0 and "kinds/Slow" in output, (name, configs)


def test_import_into_the_default_graph(folder, tmp_path):
    assert folder.sis("manager", "-r", "config.diamond")[0] == 0
    (folder / "work").rename(tmp_path / "elsewhere")
    with open(folder / "config" / "__init__.py", "a") as config:
        config.write("\n\nmain = diamond\n")
    status, output = folder.sis("shortcut", "import_from_dir", str(tmp_path / "elsewhere"))
    assert status == 0, output
    assert len([p for p in (folder / "work").rglob("*") if p.is_symlink()]) == 4


def test_a_manager_of_the_console_has_its_role(folder):
    """Only then do the rules for retries hold: to look at a job changes nothing."""
    run = ["print(tk.running_in_manager())", "tk.start_manager()", "print(tk.running_in_manager())"]
    commands = [word for one in run for word in ("-c", one)]
    status, output = folder.sis("console", "--script", *commands, "config.chain(1)")
    assert status == 0 and "False" in output.split("All outputs")[0] and "True" in output.split("All outputs")[1]


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
