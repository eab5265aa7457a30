"""The part of ``tk`` that works on jobs: look them up, compare, export, import and remove them."""

import contextlib
import gzip
import importlib
import logging
import os
import pickle
import sys

from .. import global_settings as gs
from .. import tools
from ..base import role, writing
from ..base.layout import has_finished_marker
from ..engine import cached_engine
from ..graph import graph as sis_graph
from ..jobs.stored import load_job  # noqa: F401  for `tk`
from .comparison import compare_graph  # noqa: F401
from .export import export_graph  # noqa: F401


class Object:
    """An empty object to hang attributes on."""


# look up ------------------------------------------------------------------------------------------------------------
def find_job(pattern):
    """Jobs of the graph whose folder, alias or name contains ``pattern``."""
    return sis_graph.find(pattern, mode="job")


def find_path(pattern):
    """Inputs and outputs of the graph whose file names contain ``pattern``."""
    return sis_graph.find(pattern, mode="path")


def job_info(job):
    """Print where a job lies, its inputs, parameters and tasks with their states."""
    print(f"{job}\n" + job._sis_info_text(), end="")
    if job._sis_runnable():
        for task in job._sis_tasks():
            print(f"TASK: {task.name()} {task.state()}")


def print_graph(targets=None):
    """Print every job behind its targets, indented by its distance."""
    stack, seen = [(job, 0) for job in reversed(targets or sis_graph.target_jobs())], set()
    while stack:
        job, depth = stack.pop()
        print("  " * depth + str(job) + (" (above)" if job in seen else ""))
        if job not in seen:
            seen.add(job)
            stack += [(creator, depth + 1) for creator in reversed(job._sis_creators())]


# run ----------------------------------------------------------------------------------------------------------------
def setup_job_directory(job):
    """Make the job's folder."""
    job._sis_setup_directory(force=True)


def submit_next_task(job):
    """Give the next task of a runnable job to the engine of the settings; returns the submitted ids."""
    assert job._sis_runnable(), f"{job} lacks inputs"
    job._sis_setup_directory()
    return cached_engine().submit(job._sis_next_task())


def start_manager():
    """Run the loaded graph from the console; returns the exit status."""
    from .manager import Manager

    role.set_role("manager")
    return Manager().run()


# store, import, remove ----------------------------------------------------------------------------------------------
def dump(obj, filename):
    """Pickle ``obj`` into a gzip'd file and create its folder."""
    os.makedirs(os.path.dirname(os.path.abspath(filename)), exist_ok=True)
    writing.write_atomically(filename, gzip.compress(pickle.dumps(obj)), mode="wb")


def load_file(filename):
    """The object in a pickle, gzip'd or not."""
    with (gzip.open if zipped(filename) else open)(filename, "rb") as f:
        return pickle.load(f)


def import_work_directory(directories, mode="dryrun", use_alias=False):
    """Take over finished jobs of the graph from other work folders, by ``copy``, ``symlink`` or ``hardlink``.

    With ``use_alias`` the other folders are alias folders, and jobs are found by alias instead of id.
    """
    assert mode in ("dryrun", "copy", "symlink", "hardlink"), f"unknown mode {mode!r}"
    import shutil

    directories = [directories] if isinstance(directories, str) else list(directories)
    for job in sis_graph.walk():
        target = job._sis_path(abspath=True)
        if job._sis_finished() or os.path.lexists(target):
            continue
        names = job.get_aliases() if use_alias else [job._sis_id()]
        sources = [os.path.realpath(os.path.join(d, name)) for d in directories for name in sorted(names)]
        source = next((s for s in sources if has_finished_marker(s)), None)
        if source is None:
            continue
        logging.info("%s %s -> %s", mode, source, target)
        if mode == "dryrun":
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if mode == "symlink":
            os.symlink(source, target)
        else:
            part = target + ".partial"
            shutil.rmtree(part, ignore_errors=True)
            copy = tools.hardlink_or_copy if mode == "hardlink" else lambda s, d: shutil.copytree(s, d, symlinks=True)
            copy(source, part)
            os.rename(part, target)
        job._sis_reset()


def remove_job_and_descendants(jobs, mode="remove"):
    """Ask, then remove (or ``move`` aside; ``dryrun``) the folders of ``jobs`` and of all jobs that depend on them."""
    from ..upkeep.removal import remove_jobs

    chosen = set(jobs if isinstance(jobs, (list, tuple, set)) else [jobs])
    for job in sis_graph.walk():  # inputs come first
        if any(creator in chosen for creator in job._sis_creators()):
            chosen.add(job)
    folders = sorted(job._sis_path(abspath=True) for job in chosen)
    return bool(remove_jobs([folder for folder in folders if os.path.lexists(folder)], mode))


# files and modules --------------------------------------------------------------------------------------------------
def zipped(filename):
    """Whether a file is gzip'd, by its first bytes."""
    with open(filename, "rb") as f:
        return f.read(2) == b"\x1f\x8b"


@contextlib.contextmanager
def mktemp():
    """A name for a temporary file or folder, which is removed at the end."""
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix=os.path.basename(gs.TMP_PREFIX), dir=os.path.dirname(gs.TMP_PREFIX))
    try:
        yield os.path.join(folder, "tmp")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reload_module(module):
    return importlib.reload(module)


def reload_recipes():
    """Reload all imported recipe modules; jobs that exist keep their classes."""
    folders = [os.path.join(gs.BASE_DIR, entry.rstrip("/")) + os.sep for entry in gs.IMPORT_PATHS]
    for module in list(sys.modules.values()):
        if (getattr(module, "__file__", None) or "").startswith(tuple(folders)):
            importlib.reload(module)
