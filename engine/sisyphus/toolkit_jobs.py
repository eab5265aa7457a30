"""The part of ``tk`` that looks at jobs of a graph and at stored jobs."""

from .graph import graph as sis_graph


def find_job(pattern):
    """Jobs of the graph whose id, alias or name contains ``pattern``."""
    return sis_graph.find(pattern, mode="job")


def find_path(pattern):
    """Output paths of the graph that contain ``pattern``."""
    return sis_graph.find(pattern, mode="path")


def load_job(path):
    """The job stored in a job folder (also a cleaned one)."""
    from .worker import load_job as load

    return load(path)


def setup_job_directory(job):
    job._sis_setup_directory(force=True)
