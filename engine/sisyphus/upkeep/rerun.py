"""``sis rerun``: clear one job, so that it (and nothing else) runs again."""

import os

from ..base import layout
from ..base.layout import has_finished_marker, move_aside
from ..base.refusal import JobError
from ..graph import OutputCall, SISGraph, graph
from ..reading.lookup import find_folders, folder_state, job_id, one_of
from .busy import busy_ones
from .lock import ManagerLock, WorkFolderLocked


def find_one(pattern, force=False):
    """Folder of the one job that ``pattern`` names, see `lookup.find_folders`.

    Only jobs that are not finished are taken, unless ``force``. Raises `JobError`.
    """
    folders = find_folders(pattern)
    if len(folders) > 1 and not force:
        folders = [f for f in folders if not has_finished_marker(f)] or folders
    folder = one_of(pattern, folders)
    if busy_ones([folder]):
        raise JobError(f"{job_id(folder)} is running or queued")
    if folder_state(folder) == "finished" and not force:
        raise JobError(f"{job_id(folder)} is finished; use --force to run it again")
    return folder


def clear(folder, keep_work=False):
    """Move the folder to ``<id>.cleared.NNNN``; returns what was done, in words.

    ``keep_work`` clears only the error markers and logs, so the task finds its partial results. Raises `JobError` for a
    finished job while a manager runs, because the manager would not notice.
    """
    if has_finished_marker(folder):
        if keep_work:
            raise JobError(f"{job_id(folder)} is finished, it can only be run again without --keep_work")
        try:
            with ManagerLock():
                return f"moved to {os.path.basename(move_aside(folder))}"
        except WorkFolderLocked as e:
            raise JobError(
                f"{job_id(folder)} is finished, and managers look at such jobs only when they start: {e}"
            ) from e
    return _drop_errors(folder) if keep_work else f"moved to {os.path.basename(move_aside(folder))}"


def graph_of(folder):
    """The part of the loaded graph that needs only the job of ``folder``. Raises `JobError` if there is none."""
    job = next((job for job in graph.walk() if job._sis_path(abspath=True) == folder), None)
    if job is None:
        raise JobError(f"the config does not make {job_id(folder)}")
    job._sis_reset()  # the config may have asked for its state, and it was finished then
    alone = SISGraph()
    alone.targets = [target for target in graph.targets if {p.creator for p in target.required_full_list} == {job}]
    alone.add_target(OutputCall(job._sis_id(), lambda *_: None, list(job._sis_outputs.values()), {}))
    return alone


def _drop_errors(folder):
    """Make failed and interrupted ids runnable; their logs become ``log.<task>.<id>.error.NN``."""
    names = sorted(os.listdir(folder))
    logs = {layout.name_of(layout.LOG, *one) for one in layout.open_ids(names)}
    errors = {layout.name_of(layout.ERROR, *one) for one in layout.ids_with(names, layout.ERROR)}
    for name in names:
        if name in logs:
            layout.put_aside(f"{folder}/{name}")
        elif name in errors or layout.is_submit_log(name):
            os.unlink(f"{folder}/{name}")
    return f"cleared {len(logs)} task ids, kept its work folder"
