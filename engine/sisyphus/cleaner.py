"""Packs the folders of finished jobs and removes results that are not wanted any more. Outputs of finished jobs are
deleted only by the functions that ask before."""

import contextlib
import logging
import os
import shutil
import tarfile
import threading
import time

from . import global_constants as gc
from . import global_settings as gs

_KEPT = {gc.JOB_OUTPUT, gc.JOB_INFO, gc.JOB_WORK_DIR, gc.JOB_INPUT, gc.JOB_FINISHED_ARCHIVE}


class JobCleaner(threading.Thread):
    """Every ``JOB_CLEANER_INTERVAL`` seconds packs what ``finished_jobs()`` gives."""

    def __init__(self, finished_jobs):
        super().__init__(name="cleaner", daemon=True)
        self._finished_jobs = finished_jobs
        self._closed = threading.Event()

    def run(self):
        done = set()
        while not self._closed.wait(gs.JOB_CLEANER_INTERVAL):
            for job in self._finished_jobs():
                if self._closed.is_set():
                    return
                try:
                    if job not in done and clean_job(job):
                        done.add(job)
                except OSError as e:  # a full or read-only disk must not end the clean-up of the others
                    logging.warning("cannot clean up %s: %s", job, e)

    def close(self):
        self._closed.set()
        if self.ident:
            self.join()


def clean_job(job):
    """Pack the folder of a finished job into ``finished.tar.gz`` beside its outputs and delete its ``work/``.

    Returns whether nothing is left to do. A kill in between is repaired by the next call: the archive appears
    complete, and before anything is deleted.
    """
    base = job._sis_path(abspath=True)
    marker, archive = f"{base}/{gc.JOB_FINISHED_MARKER}", f"{base}/{gc.JOB_FINISHED_ARCHIVE}"
    if os.path.islink(base) or not os.path.isdir(base):
        return True  # somebody else's job
    packed = _packed_names(base)
    if not os.path.exists(archive):
        if not os.path.exists(marker) or time.time() - os.path.getmtime(marker) < gs.WAIT_PERIOD_JOB_CLEANUP:
            return False  # the worker may still write its last lines
        part = f"{archive}.partial"
        with tarfile.open(part, "w:gz", compresslevel=6) as tar:
            for name in packed:
                tar.add(os.path.join(base, name), arcname=name)
        os.replace(part, archive)
    for name in packed:
        _remove(os.path.join(base, name))
    if not gs.JOB_CLEANUP_KEEP_WORK:
        _remove(os.path.join(base, gc.JOB_WORK_DIR))
    return True


def _packed_names(base):
    names = set(os.listdir(base)) - _KEPT - {gc.JOB_FINISHED_ARCHIVE + ".partial"}
    if not gs.JOB_CLEANUP_KEEP_INPUT and os.path.exists(f"{base}/{gc.JOB_INPUT}"):
        names.add(gc.JOB_INPUT)
    return sorted(names)


def _remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


# on request --------------------------------------------------------------------------------------------------------
def cleanup_jobs():
    """Pack all finished jobs of the graph now."""
    from .graph import graph

    for job in graph.walk():
        if job._sis_finished():
            clean_job(job)


def job_folders(root=None):
    """Absolute names of all job folders below the work folder, without those that were moved aside."""
    stack = [root or os.path.join(gs.BASE_DIR, gs.WORK_DIR)]
    while stack:
        folder = stack.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            entries = list(entries)
            names = {e.name for e in entries}
            if ".cleared." in os.path.basename(folder):
                continue
            if gc.JOB_OUTPUT in names and names & {gc.JOB_SAVE, gc.JOB_FINISHED_MARKER, gc.JOB_FINISHED_ARCHIVE}:
                yield folder
            else:
                stack += [e.path for e in entries if e.is_dir()]


def _needed_by_unfinished():
    from .graph import graph

    return {creator for job in graph.walk() if not job._sis_finished() for creator in job._sis_creators()}


def cleanup_keep_value(min_keep_value, mode="remove"):
    """Remove finished jobs whose keep value is below ``min_keep_value`` and that no unfinished job needs."""
    from .graph import graph

    needed = _needed_by_unfinished()
    jobs = []
    for job in graph.walk():
        value = gs.JOB_DEFAULT_KEEP_VALUE if job.keep_value() is None else job.keep_value()
        if value < min_keep_value and job not in needed and job._sis_finished():
            jobs.append(job)
    for folder in remove_folders([job._sis_path(abspath=True) for job in jobs], mode):
        next(job for job in jobs if job._sis_path(abspath=True) == folder)._sis_reset()


def cleanup_unused(mode="remove"):
    """Remove job folders that do not belong to the loaded graph."""
    from .graph import graph

    assert graph.targets, "no graph is loaded: everything would count as unused"
    used = {job._sis_path(abspath=True) for job in graph.walk()}
    remove_folders([folder for folder in job_folders() if folder not in used], mode)


def remove_folders(folders, mode="remove"):
    """Ask, then ``remove`` the folders, or ``move`` them aside; ``dryrun`` only lists them. Returns those that went."""
    from .job_files import move_aside

    assert mode in ("remove", "move", "dryrun"), f"mode {mode!r} should be remove, move or dryrun"
    for folder in folders:
        logging.info("%s: %s", mode, folder)
    if mode == "dryrun" or not folders or not _confirmed(f"Start deleting {len(folders)} jobs? (y/N) "):
        return []
    for folder in folders:
        if os.path.islink(folder):
            os.unlink(folder)
        elif mode == "move":
            move_aside(folder)
        else:
            shutil.rmtree(folder)
    return folders


def _confirmed(question):
    try:
        return input(question).lower() == "y"
    except EOFError:  # nobody is there to answer
        return False
