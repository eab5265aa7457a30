"""sis find and info: what names a job, and what is said of it."""

import os
import tarfile
import xml.etree.ElementTree

from patience import PATIENCE
from sisyphus.engine import EngineBase
from sisyphus.reading import lookup
from sisyphus.upkeep import busy
from steps import Step, finished, folder_of


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


def test_names_match_whole_before_parts(here):
    names = {"a": ["kinds/Train.x", "alias/train"], "b": ["kinds/Train.xy", "alias/train/more", "output/wer"]}
    assert lookup.matching("train", names) == ["a"]
    assert lookup.matching("alias/train/", names) == ["a"]
    assert lookup.matching("wer", names) == ["b"]
    assert lookup.matching("Train", names) == ["a", "b"]
    assert lookup.matching("*.xy", names) == ["b"]
    assert lookup.matching("Train*", names) == ["a", "b"], "a shell pattern may leave out the module"
    assert lookup.matching("dev", names) == []


def test_names_below_a_folder_of_their_own(folder):
    """With a config as without, ``find`` knows the links by their names."""
    below = {"SIS_ALIAS_AND_OUTPUT_SUBDIR": "part"}
    (folder / "go").touch()
    assert folder.sis("manager", "-r", "config.slow", **below)[0] == 0
    for name in ("alias/part/the/slow", "output/part/slow"):
        for configs in ([], ["config.slow"]):
            status, output = folder.sis("find", name, *configs, **below)
            assert status == 0 and "kinds/Slow" in output, (name, configs)


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


def test_folders_that_cannot_be_listed_are_left_out(here):
    [folder] = finished(Step(1))
    os.symlink("loop", f"{os.path.dirname(folder)}/loop")
    assert list(lookup.job_folders()) == [folder]


def test_reader_that_has_seen_enough(folder):
    folder.sis("manager", "-r", "config.chain(3)")
    process = folder.start("find", "")
    process.stdout.close()
    assert process.wait(PATIENCE) == 0


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
