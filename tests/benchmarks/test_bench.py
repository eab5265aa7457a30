"""The runner of benchmarks: all scripts are known to it, with arguments that they take, and none stops the others."""

import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = {path.name: path.read_text() for path in BENCHMARKS.glob("*.py")}


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import bench

    return bench


def test_every_script_is_run_or_listed_as_not_run(bench):
    run = {one.script for suite in bench.SUITES.values() for one in suite}
    assert run | set(bench.NOT_HERE) | {"bench.py"} == set(SCRIPTS)
    assert not run & set(bench.NOT_HERE)


def test_scripts_take_the_options_that_they_get(bench):
    for one in [*bench.CPU, *bench.GPU]:
        given = re.findall(r"--[a-z0-9-]+", f"{one.smallest} {one.arguments}")
        assert set(given) <= set(re.findall(r'"(--[a-z0-9-]+)"', SCRIPTS[one.script])), one.script


def test_limits_of_the_gpu_leave_it_within_8_minutes(bench):
    assert sum(one.limit_s for one in bench.GPU) < 480


def test_output_of_ends_what_takes_too_long_and_keeps_what_it_printed(bench):
    code = "import time; print('begun', flush=True); time.sleep(600)"
    assert bench.output_of([sys.executable, "-c", code], 5) == ("stopped after 5 s", "begun\n")


def test_output_of_shows_why_a_script_failed(bench):
    state, text = bench.output_of([sys.executable, "-c", "print('figure'); raise SystemExit('no such file')"], 60)
    assert state == "failed with status 1"
    assert text.split("\n") == ["figure", "", "no such file", ""]


def test_missing_rivals_and_demos_are_said(bench):
    rival = bench.Bench("kd_loss.py", "", "", rival="no_such_module")
    assert bench.run(rival, {}, smallest=True).state.startswith("not run: no_such_module is not installed")
    demo = bench.Bench("transcribe.py", "{student}", "{student}")
    assert bench.run(demo, {"device": "cpu"}, smallest=True).state == "not run: no 'student' of a demo, see --demo"


def test_page_has_a_row_and_the_output_of_each(bench):
    results = [
        bench.Result("python benchmarks/a.py --x 1", "ok", 2.4, "ratio 5\n"),
        bench.Result("python benchmarks/b.py", "not run: no rival", 0.0, ""),
    ]
    page = bench.page("Benchmarks, cpu", ["2 cores"], results)
    assert "| `python benchmarks/a.py --x 1` | ok | 2 |" in page
    assert "| `python benchmarks/b.py` | not run: no rival | 0 |" in page
    assert "## benchmarks/a.py\n\n```\nratio 5\n```" in page
    assert "## benchmarks/b.py" not in page
