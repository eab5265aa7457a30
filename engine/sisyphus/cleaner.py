"""Packs the folders of finished jobs. Only the functions that ask first delete what a job has made."""

import contextlib
import logging
import os
import shutil
import threading
import time
import zlib

from . import global_constants as gc
from . import global_settings as gs
from .base.layout import has_finished_marker
from .base.services import Service
from .graph import graph
from .reading.lookup import is_foreign
from .upkeep.lock import ManagerLock
from .upkeep.removal import folders_to_keep_below, remove_jobs, unused_folders

_KEPT = {gc.JOB_OUTPUT, gc.JOB_INFO, gc.JOB_WORK_DIR, gc.JOB_INPUT, gc.JOB_FINISHED_ARCHIVE}
_PARTIAL = gc.JOB_FINISHED_ARCHIVE + ".partial"


class JobCleaner(Service):
    """Every ``JOB_CLEANER_INTERVAL`` seconds packs what ``finished_jobs()`` gives, each job once."""

    def __init__(self, finished_jobs):
        super().__init__("cleaner", self._clean_until_closed)
        self._finished_jobs = finished_jobs
        self._closed = threading.Event()
        self._done = set()

    def _clean_until_closed(self):
        while not self._closed.wait(gs.JOB_CLEANER_INTERVAL):
            self._clean_all()

    def _clean_all(self):
        failed = []
        for job in self._finished_jobs():
            if self._closed.is_set():
                return
            if job in self._done:
                continue
            try:
                if clean_job(job):
                    self._done.add(job)
            except Exception as e:  # a full or read-only disk must not end the clean-up of the others
                failed.append(f"{job}: {e}")
                self._done.add(job)  # the next manager tries again
        if failed:
            logging.warning("cannot clean up %i finished jobs, for example %s", len(failed), failed[0])

    def close(self):
        self._closed.set()
        if self.ident:
            self.join()


def clean_job(job):
    return clean_folder(job._sis_path(abspath=True))


def clean_folder(base):
    """Pack the folder of a finished job into ``finished.tar.gz`` beside its outputs and delete its ``work/``.

    Returns whether nothing is left to do. The archive appears complete before anything is deleted, so the next call
    repairs a kill in between. What is not in the archive stays.
    """
    marker, archive = f"{base}/{gc.JOB_FINISHED_MARKER}", f"{base}/{gc.JOB_FINISHED_ARCHIVE}"
    if not os.path.isdir(base) or is_foreign(base):
        return True
    names = _names_to_pack(base)
    packed = _in_archive(archive, names)
    if packed is None:
        if not os.path.exists(marker) or time.time() - os.path.getmtime(marker) < gs.WAIT_PERIOD_JOB_CLEANUP:
            return False  # the worker may still write its last lines
        _pack(base, names, archive)
        packed = names
    for name in packed:
        _remove(os.path.join(base, name))
    if not gs.JOB_CLEANUP_KEEP_WORK:
        _remove(os.path.join(base, gc.JOB_WORK_DIR))
    return True


def is_open(base):
    """Whether the folder is one of a finished job that is not packed yet."""
    if not has_finished_marker(base) or is_foreign(base):
        return False
    names = _names_to_pack(base)
    packed = _in_archive(f"{base}/{gc.JOB_FINISHED_ARCHIVE}", names)
    left = names if packed is None else packed
    return bool(left) or (not gs.JOB_CLEANUP_KEEP_WORK and os.path.exists(f"{base}/{gc.JOB_WORK_DIR}"))


def _pack(base, names, archive):
    import tarfile  # workers load this module and do not need it

    part = f"{base}/{_PARTIAL}"
    with tarfile.open(part, "w:gz", compresslevel=6) as tar:
        for name in names:
            tar.add(os.path.join(base, name), arcname=name)
    os.replace(part, archive)


def _in_archive(archive, names):
    """Those of ``names`` that the archive has; None without a whole archive, as after a kill of upstream's manager."""
    if not os.path.exists(archive):
        return None
    if not names:
        return []  # without the reading of each archive in the work folder
    import tarfile

    try:
        with tarfile.open(archive) as tar:
            packed = {member.name.split("/")[0] for member in tar}
    except (EOFError, zlib.error, tarfile.TarError):
        return None
    return [name for name in names if name in packed]


def _names_to_pack(base):
    """What of a job's folder goes into the archive."""
    names = set(os.listdir(base)) - _KEPT - {_PARTIAL}
    if not gs.JOB_CLEANUP_KEEP_INPUT and os.path.exists(f"{base}/{gc.JOB_INPUT}"):
        names.add(gc.JOB_INPUT)
    return sorted(names)


def _remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


# from the console --------------------------------------------------------------------------------------------------
def cleanup_jobs():
    """Pack all finished jobs of the graph now."""
    with ManagerLock():
        for job in graph.walk():
            if job._sis_finished():
                clean_job(job)


def cleanup_keep_value(min_keep_value, mode="remove"):
    """Remove finished jobs whose keep value is below ``min_keep_value`` and that no unfinished job needs."""
    remove_jobs(folders_to_keep_below(min_keep_value), mode)


def cleanup_unused(mode="remove"):
    """Remove job folders that do not belong to the loaded graph."""
    remove_jobs(unused_folders(), mode)
