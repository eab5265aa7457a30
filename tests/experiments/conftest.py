"""Every test declares its jobs in a graph of its own."""

import pytest
from sisyphus import job


@pytest.fixture(autouse=True)
def created(monkeypatch):
    """The jobs by id, at first none."""
    monkeypatch.setattr(job, "created_jobs", {})
    return job.created_jobs
