"""A workflow manager with the Sisyphus API: jobs with stable ids, run once, in the order their files need."""

from .base import interrupt as _interrupt  # noqa: F401  first of all: it hides Ctrl-C meanwhile

# isort: split
from . import global_settings as gs
from . import loader as _loader
from . import toolkit as tk
from .job import Job
from .job_path import Path
from .task import Task
from .toolkit import setup_path

__all__ = ["Job", "Task", "Path", "gs", "tk", "setup_path"]

if gs.engine is None:
    from .localengine import this_machine

    gs.engine = this_machine
_loader.install_finder()
