"""``sis rerun``: clear one job, so that it (and nothing else) runs again."""

import fnmatch
import glob
import os

from . import global_constants as gc
from . import global_settings as gs
from .cleaner import job_folders
from .graph import OutputCall, SISGraph, graph
from .job_files import has_finished_marker, move_aside
from .log_claim import is_claimed
from .resources import read_usage, runs_here


class RerunError(Exception):
    """The job to rerun cannot be determined, or must not be touched."""


def find_one(pattern, force=False):
    """Folder of the one job that ``pattern`` names: a folder, an alias, an id, or a part or shell pattern of either.

    Only jobs that are not finished are taken, unless ``force``. Raises `RerunError`.
    """
    folders = find_folders(pattern)
    if not folders:
        raise RerunError(f"no job matches {pattern!r} in {gs.WORK_DIR}/")
    chosen = folders if force or len(folders) == 1 else [f for f in folders if not has_finished_marker(f)]
    if len(chosen) != 1:
        listing = "\n".join(f"  {_id(f)}  {folder_state(f)}" for f in chosen or folders)
        raise RerunError(f"{pattern!r} should name one job, but it matches {len(chosen or folders)}:\n{listing}")
    state = folder_state(chosen[0])
    if state == "running":
        raise RerunError(f"{_id(chosen[0])} is running")
    if state == "finished" and not force:
        raise RerunError(f"{_id(chosen[0])} is finished; use --force to run it again")
    return chosen[0]


def clear(folder, keep_work=False):
    """Move the folder to ``<id>.cleared.NNNN``; returns what was done, in words.

    With ``keep_work`` only the error markers and logs go, so that the task finds its partial results.
    """
    return _drop_errors(folder) if keep_work else f"moved to {os.path.basename(move_aside(folder))}"


def graph_of(folder):
    """The part of the loaded graph that asks for nothing but the job of ``folder``. Raises `RerunError`."""
    job = next((job for job in graph.walk() if job._sis_path(abspath=True) == folder), None)
    if job is None:
        raise RerunError(f"the config does not make {_id(folder)}")
    alone = SISGraph()
    alone.targets = [target for target in graph.targets if {p.creator for p in target.required_full_list} == {job}]
    alone.add_target(OutputCall(job._sis_id(), lambda *_: None, list(job._sis_outputs.values()), {}))
    return alone


def _id(folder):
    return os.path.relpath(folder, os.path.join(gs.BASE_DIR, gs.WORK_DIR))


def find_folders(pattern):
    """Job folders that ``pattern`` names, exact matches first and alone."""
    as_path = os.path.join(gs.BASE_DIR, pattern)
    work = os.path.join(gs.BASE_DIR, gs.WORK_DIR)
    alias = os.path.join(gs.BASE_DIR, gs.ALIAS_DIR)
    for exact in (as_path, os.path.join(work, pattern), os.path.join(alias, pattern)):
        real = os.path.realpath(exact)
        if os.path.exists(os.path.join(real, gc.JOB_OUTPUT)):
            relative = os.path.relpath(real, os.path.realpath(work))
            if not relative.startswith(".."):
                return [os.path.join(work, relative)]
    wanted = pattern if any(c in pattern for c in "*?[") else f"*{pattern}*"
    found = {f for f in job_folders() if fnmatch.fnmatchcase(_id(f), wanted)}
    for link in glob.iglob(f"{alias}/**", recursive=True):
        if os.path.islink(link) and fnmatch.fnmatchcase(os.path.relpath(link, alias), wanted):
            relative = os.path.relpath(os.path.realpath(link), os.path.realpath(work))
            if os.path.isdir(os.path.join(work, relative)):
                found.add(os.path.join(work, relative))
    return sorted(found)


def folder_state(folder):
    """``finished``, ``running``, ``failed`` or ``unfinished``, from the files alone."""
    if has_finished_marker(folder):
        return "finished"
    names = os.listdir(folder)
    usages = [read_usage(os.path.join(folder, n)) for n in names if n.startswith(gc.PLOGGING_FILE + ".")]
    logs = [os.path.join(folder, n) for n in names if n.startswith(gc.JOB_LOG + ".")]
    if any(runs_here(usage) for usage in usages) or any(map(is_claimed, logs)):
        return "running"
    return "failed" if any(n.startswith("error.") for n in names) else "unfinished"


def _drop_errors(folder):
    """Make failed and interrupted ids runnable; their logs become ``log.<task>.<id>.error.NN``."""
    names = set(os.listdir(folder))
    dropped = 0
    for name in sorted(names):
        kind, _, task = name.partition(".")
        if kind == gc.JOB_LOG and ".error." not in name and f"{gc.JOB_FINISHED_MARKER}.{task}" not in names:
            number = 1
            while os.path.exists(f"{folder}/{name}.error.{number:02d}"):
                number += 1
            os.rename(f"{folder}/{name}", f"{folder}/{name}.error.{number:02d}")
            dropped += 1
        elif kind in ("error", gc.ENGINE_SUBMIT):
            os.unlink(f"{folder}/{name}")
    return f"cleared {dropped} task ids, kept its work folder"
