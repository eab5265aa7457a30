"""The recorded demo workflow: same files, kinds and links as upstream leaves behind."""

import os
import re
import tarfile
from pathlib import Path

HERE = Path(__file__).parent


def tree(folder):
    """``{name: kind and link target}`` of everything below work, alias, output and log."""
    found = {}
    for top in ("work", "alias", "output", "log"):
        for base, folders, files in os.walk(folder / top):
            for name in folders + files:
                full = os.path.join(base, name)
                if os.path.islink(full):
                    kind = "L " + os.readlink(full).replace(str(folder.path), "SETUP")
                else:
                    kind = "D" if os.path.isdir(full) else "F"
                found[os.path.relpath(full, folder.path)] = kind
    return found


def recorded(number):
    """Part ``number`` of the recorded text."""
    text = (HERE / "fixtures" / "tree.txt").read_text()
    return text.split(f"################ {number}.")[1].split("################ ")[0]


def recorded_tree(text):
    found = {}
    for kind, name, rest in re.findall(r"^([DFL]) (\S+?)/?((?:  | -> ).*)?$", text, re.M):
        if "/" in name:
            found[name] = kind if kind != "L" else "L " + rest.removeprefix(" -> ")
    return found


def test_tree_equals_the_recorded_one(finished_workflow):
    folder, status, output = finished_workflow
    assert status == 1, output
    assert tree(folder) == recorded_tree(recorded(1))


def test_console_without_terminal(finished_workflow):
    _, _, output = finished_workflow
    assert "\x1b" not in output
    assert len(re.findall("FAILED", output)) == 2
    assert "made in  config/__init__.py:19" in output
    assert "ValueError: this job fails on purpose" in output
    assert "Finished output: output/results/merged.txt" in output
    assert output.count("CALLBACK merged.txt") == 1
    assert "sis rerun demo_wf/jobs/Fails.3FzTDoA3JtCZ" in output


def test_files_are_readable_literals(finished_workflow):
    import ast

    folder, _, _ = finished_workflow
    job = folder.job("Many")
    ids, rqmt = ast.literal_eval((job / "submit_log.work").read_text())
    assert ids == [1, 2] and rqmt["mem"] == 0.5 and rqmt["engine_name"] == "local"
    usage = ast.literal_eval((job / "usage.work.2").read_text())
    assert {"max", "current", "pid", "user", "used_time", "host", "out_of_memory", "requested_resources"} <= set(usage)
    assert usage["requested_resources"] == {"cpu": 1, "mem": 0.5, "time": 1.0}
    assert (job / "info").read_text().splitlines() == [
        f"INPUT: {folder.job('TwoStep')}/output/copy.txt",
        f"INPUT: {folder.job('TwoStep')}/output/number",
        "PARAMETER: number: 42",
        f"PARAMETER: source: {folder.job('TwoStep')}/output/copy.txt",
        "MADE IN: config/__init__.py:11",
    ]
    assert (job / "output" / "merged.txt").read_text().split() == ["1", "2", "3", "4", "5"]
    assert "42" in (folder / "output" / "report.txt").read_text()


def test_later_runs(finished_workflow):
    """Without the failing jobs nothing is left to do; rerun clears one job; -co clears all failed ones."""
    folder, _, _ = finished_workflow
    before = {p: p.stat().st_mtime_ns for p in (folder / "work").rglob("log.*")}
    for arguments in (["manager"], ["m", "-r"]):
        status, output = folder.sis(*arguments, DEMO_NO_FAIL="1")
        assert status == 0 and "All outputs are there" in output, output
    assert {p: p.stat().st_mtime_ns for p in (folder / "work").rglob("log.*")} == before

    status, output = folder.sis("rerun", "Fails")
    assert status == 2 and "it matches 2" in output
    status, output = folder.sis("rerun", "first/step")
    assert status == 2 and "is finished" in output
    status, output = folder.sis("rerun", "Fails.3F")
    assert status == 0
    jobs = folder / "work" / "demo_wf" / "jobs"
    assert sorted(p.name for p in jobs.glob("Fails*")) == ["Fails.3FzTDoA3JtCZ.cleared.0001", "Fails.LVSTCBKEjy9Z"]
    status, output = folder.sis("manager", "-r")
    assert status == 1 and output.count(" started ") == 1
    assert sorted(p.name for p in jobs.glob("Fails*")) == [
        "Fails.3FzTDoA3JtCZ",
        "Fails.3FzTDoA3JtCZ.cleared.0001",
        "Fails.LVSTCBKEjy9Z",
    ]
    status, output = folder.sis("manager", "-r", "-co")
    assert status == 1 and output.count(" started ") == 2
    assert (jobs / "Fails.LVSTCBKEjy9Z.cleared.0001" / "error.run.1").exists()
    assert (jobs / "Fails.3FzTDoA3JtCZ.cleared.0002" / "error.run.1").exists()


def test_packed_jobs_equal_the_recorded_ones(finished_workflow):
    """What clean-up leaves of a finished job, and what it puts into the archive."""
    folder, _, _ = finished_workflow
    without_failing = {"DEMO_NO_FAIL": "1", "SIS_WAIT_PERIOD_JOB_CLEANUP": "0"}
    assert folder.sis("--config", "config.main", "shortcut", "clean_jobs", **without_failing)[0] == 0
    text = recorded(2)
    packed = tree(folder)
    for kind in ("Many", "SecondTry", "TwoStep"):
        job = f"work/demo_wf/jobs/{folder.job(kind).name}"
        expected = {name: what for name, what in recorded_tree(text).items() if name.startswith(job + "/")}
        assert {name: what for name, what in packed.items() if name.startswith(job + "/")} == expected
        members = text.split(f"members of {job}/finished.tar.gz\n")[1].split("members of")[0].split()
        with tarfile.open(folder / job / "finished.tar.gz") as archive:
            assert sorted(archive.getnames()) == sorted(name.rstrip("/") for name in members)
    status, output = folder.sis("manager", "-r", DEMO_NO_FAIL="1")
    assert status == 0 and " started " not in output
