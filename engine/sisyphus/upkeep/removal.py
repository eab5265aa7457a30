"""Removes job folders on request: lists them with their sizes, asks, and touches nothing that runs."""

import os
import shutil
import stat

from .. import global_constants as gc
from .. import global_settings as gs
from ..base.layout import is_cleared, move_aside
from ..base.refusal import JobError
from ..base.words import in_bytes
from ..graph import graph
from ..job import Job
from ..loader import config_manager
from ..reading.lookup import is_foreign, job_folders, job_id, owner_of
from .busy import busy_ones
from .lock import ManagerLock


def remove_folders(folders, mode="remove", yes=False, question=input):
    """``remove`` the folders, ``move`` them aside, or only list them (``dryrun``); asks unless ``yes``.

    No manager can start meanwhile. Skips jobs that run, are queued, or lie behind a link. If a job folder is itself a
    link, only the link is removed. Returns the folders that were removed. Raises `WorkFolderLocked` while a manager
    works on the work folder.
    """
    assert mode in ("remove", "move", "dryrun"), f"mode {mode!r} should be remove, move or dryrun"
    if mode == "dryrun" or not folders:
        _listed(folders)
        return []
    with ManagerLock():
        folders = _listed(folders)
        what = {"remove": "Remove", "move": "Move aside"}[mode]
        if not folders or not (yes or _confirmed(f"{what} {counted(folders)}? (y/N) ", question)):
            return []
        for folder in folders:
            if os.path.islink(folder):
                os.unlink(folder)
            elif mode == "move":
                move_aside(folder)
            else:  # renamed first, so nobody sees half a folder, which could count as finished
                shutil.rmtree(folder if is_cleared(folder) else move_aside(folder))
    return folders


def _listed(folders):
    """Print which folders would be removed and which are kept. Returns the former."""
    go, total = [], 0
    if not folders:
        print("nothing to do")
    busy = set(busy_ones(folder for folder in folders if not is_cleared(folder)))
    for folder in folders:
        why = _why_not(folder, busy)
        if why:
            print(f"  kept       {job_id(folder)}  ({why})")
            continue
        go.append(folder)
        total += (size := size_of(folder))
        print(f"  {in_bytes(size):>9}  {job_id(folder)}")
    if len(go) > 1:
        print(f"  {in_bytes(total):>9}  {counted(go)}")
    return go


def _why_not(folder, busy):
    if not os.path.islink(folder) and is_foreign(folder):
        return "it lies behind a link, in another work folder"
    return "it runs or is queued" if folder in busy else None


def counted(folders):
    return f"{len(folders)} job folder" + ("s" if len(folders) != 1 else "")


def _confirmed(text, question):
    try:
        return question(text).lower() in ("y", "yes")
    except EOFError:  # nobody is there to answer
        return False


def size_of(folder):
    """Bytes of all files below ``folder``; links count as links."""
    if os.path.islink(folder):
        return 0
    names = (os.path.join(base, name) for base, _, files in os.walk(folder) for name in files)
    return sum(s.st_size for s in map(_lstat, names) if s is not None and stat.S_ISREG(s.st_mode))


def _lstat(name):
    try:
        return os.lstat(name)
    except FileNotFoundError:
        return None


# what to remove -----------------------------------------------------------------------------------------------------
def users_of_folders():
    """Job folder -> folders of the jobs that read from it, as their ``info`` files say."""
    ids = {job_id(folder): folder for folder in job_folders()}
    users = {folder: [] for folder in ids.values()}
    for folder in ids.values():
        for creator in sorted({owner_of(path, ids) for path in _inputs(folder)} - {None}):
            users[ids[creator]].append(folder)
    return users


def _inputs(folder):
    try:
        with open(os.path.join(folder, gc.JOB_INFO), encoding="utf-8", errors="replace") as f:
            return [line[7:].rstrip("\n") for line in f if line.startswith("INPUT: ")]
    except FileNotFoundError:
        return []


def with_descendants(folders):
    """``folders``, and the folders of all jobs that depend on them. Raises `JobError` if one of the jobs runs."""
    users, chosen, stack = users_of_folders(), set(), list(folders)
    while stack:
        folder = stack.pop()
        if folder not in chosen:
            chosen.add(folder)
            stack += users.get(folder, ())
    busy = ", ".join(map(job_id, busy_ones(sorted(chosen))))
    if busy:
        raise JobError(f"stop what runs or is queued first: {busy}")
    return sorted(chosen)


def unused_folders():
    """Folders of jobs that the loaded graph does not need, even after its jobs have asked for more inputs."""
    used = {job._sis_path(abspath=True) for job in whole_graph()}
    return sorted(folder for folder in job_folders() if folder not in used)


def whole_graph():
    """All jobs of the loaded configs. Raises `JobError` while a config or job cannot say everything it needs."""
    while config_manager.continue_configs():
        pass
    if config_manager.waiting_configs():
        names = ", ".join(config_manager.waiting_configs())
        raise JobError(f"what these async configs need is not known before they end: {names}")
    if not graph.targets:
        raise JobError("no output is registered: everything would count as unused")
    jobs, known = graph.walk(), 0
    while len(jobs) != known:
        known = len(jobs)
        for job in jobs:
            _ask_for_more_inputs(job)
        jobs = graph.walk()
    for job in graph.walk(skip=Job._sis_finished):
        if job._sis_update_possible() and not (job._sis_finished() or job._sis_inputs_available()):
            raise JobError(f"what {job} needs is not known before its inputs are there: its update() may ask for more")
    return jobs


def _ask_for_more_inputs(job):
    try:
        if job._sis_update_possible():
            job._sis_runnable()
    except Exception as e:  # the recipe's
        raise JobError(f"what {job} needs is not known: its update() failed with {type(e).__name__}: {e}") from e


def folders_to_keep_below(value):
    """Folders of finished jobs of the graph whose keep value is below ``value`` and that no unfinished job needs."""
    jobs = whole_graph()
    needed = {creator for job in jobs if not job._sis_finished() for creator in job._sis_creators()}
    chosen = [
        job
        for job in jobs
        if (gs.JOB_DEFAULT_KEEP_VALUE if job.keep_value() is None else job.keep_value()) < value
        and job not in needed
        and job._sis_finished()
    ]
    return [job._sis_path(abspath=True) for job in chosen]


def remove_jobs(folders, mode="remove", **options):
    """`remove_folders`; afterwards the jobs of the graph know that their folders are gone."""
    removed = set(remove_folders(folders, mode, **options))
    for job in graph.walk() if removed else ():
        if job._sis_path(abspath=True) in removed:
            job._sis_reset()
    return sorted(removed)
