"""The recorded demo workflow: same files, kinds and links as upstream leaves behind."""

import os
import re
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


def recorded_tree():
    found = {}
    with open(HERE / "fixtures" / "tree.txt") as f:
        text = f.read().split("################ 2.")[0]
    for kind, name, rest in re.findall(r"^([DFL]) (\S+?)/?((?:  | -> ).*)?$", text, re.M):
        if "/" in name:
            found[name] = kind if kind != "L" else "L " + rest.removeprefix(" -> ")
    return found


def test_tree_equals_the_recorded_one(finished_workflow):
    folder, status, output = finished_workflow
    assert status == 1, output
    assert tree(folder) == recorded_tree()


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
