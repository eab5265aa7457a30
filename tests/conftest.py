"""Shared fixtures: small jobs are run in-process, each test in a work folder of its own."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["SIS_GLOBAL_SETTINGS_FILE"] = ""


@pytest.fixture
def run_jobs(tmp_path, monkeypatch):
    """``run_jobs(*outputs)`` runs every job that the outputs need, one after the other, below ``tmp_path``."""
    from sisyphus import gs, job, tk

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path))
    monkeypatch.setattr(job, "created_jobs", {})
    (tmp_path / "work").mkdir()

    def run(*outputs):
        tk.run(list(outputs), quiet=True)

    return run
