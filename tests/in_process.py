"""Calling a job's ``run`` in the test's own process, so that its exception arrives in the test."""

import os

import pytest


@pytest.fixture
def run_here(tmp_path, monkeypatch):
    """``run_here(job)`` calls the job's ``run``, whose inputs exist already, and returns the job."""
    from sisyphus import gs, job

    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path))
    monkeypatch.setattr(job, "created_jobs", {})

    def run(created):
        outputs = [value for name, value in vars(created).items() if name.startswith("out_")]
        for output in outputs:
            os.makedirs(os.path.dirname(output.get_path()), exist_ok=True)
        work = os.path.join(os.path.dirname(os.path.dirname(outputs[0].get_path())), "work")
        os.makedirs(work, exist_ok=True)
        monkeypatch.chdir(work)
        created.run()
        return created

    return run
