"""Upstream's own tests and its example, with the bundled engine."""

import shutil

import pytest
from recipe_folder import BUNDLED, UPSTREAM

pytestmark = [pytest.mark.upstream, pytest.mark.slow]


def test_graph_as_upstream_shows_it(recipes):
    bundled, upstream = recipes().probe("graph")
    assert bundled == upstream
    assert len(bundled["jobs"]) == len(bundled["steps"]) == 6


INTERNALS = """
import types
from sisyphus import gs, tools
gs.TEST_DIR = "tests"
tools.finished_results_cache = types.SimpleNamespace(reset=lambda: None)
"""
"""Where upstream's tests lie, and a cache that the bundled engine does not have: its tests name both."""

OTHERWISE = {
    "tests.job_unittest.JobTest.test_run",  # a job's folder lies in the setup folder, wherever its process stands
}


def test_tests_of_upstream(recipes, upstream):
    folder = recipes()
    files = sorted(file.relative_to(upstream) for file in (upstream / "tests").glob("*_unittest.py"))
    results = {}
    for engine in folder.engines:
        folder.fresh(engine)
        shutil.copytree(upstream / "tests", folder / "tests")
        (folder / "conftest.py").write_text(INTERNALS if engine == BUNDLED else "")
        found = [folder.passed(file, SIS_GLOBAL_SETTINGS_FILE="") for file in files]  # each in a process
        results[engine] = set().union(*found)
    print({engine: len(names) for engine, names in results.items()})
    assert results[UPSTREAM] - results[BUNDLED] == OTHERWISE
    assert len(results[UPSTREAM]) > 30


@pytest.mark.parametrize(
    "call",
    [
        ["-m", "sisyphus", "manager", "-r", "config.main"],
        ["-m", "sisyphus", "manager", "-r", "config.async_main"],
        ["config/__init__.py"],
    ],
    ids=["config", "async config", "script"],
)
def test_example_of_upstream(recipes, upstream, call):
    folder = recipes()
    folder.fresh(BUNDLED)
    shutil.copytree(upstream / "example", folder.path, dirs_exist_ok=True)
    folder.python(*call)
    jobs = [path for path in (folder / "work").rglob("*.*") if (path / "job.save").exists()]
    assert {"LineSpliter", "CheckState", "Merger"} <= {job.name.split(".")[0] for job in jobs}
    assert [job for job in jobs if not (job / "finished").exists()] == []
