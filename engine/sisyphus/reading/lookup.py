"""Finds job folders by the names that people use, and reads their states from files. It needs no config."""

import contextlib
import fnmatch
import os

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout
from ..base.layout import has_finished_marker
from ..base.log_claim import is_claimed
from ..base.refusal import JobError
from ..base.usage_file import read_usage, recently_active, runs_here


def job_folders(cleared=False):
    """Absolute names of all job folders below the work folder, or of those that were moved aside (``cleared``)."""
    stack, seen = [os.path.join(_root(gs.WORK_DIR), "")], set()  # may be a link
    while stack:
        folder = stack.pop()
        with contextlib.suppress(OSError), os.scandir(folder) as entries:  # such as lost+found
            entries = list(entries)
            names = {e.name for e in entries}
            if layout.is_cleared(folder):
                if cleared:
                    yield folder
            elif gc.JOB_OUTPUT in names and (gc.JOB_SAVE in names or layout.is_finished(names)):
                if not cleared:
                    yield folder
            elif not os.path.islink(folder) or _leads_on(folder, seen):
                stack += [e.path for e in entries if e.is_symlink() or e.is_dir()]  # to follow a link may fail


def _leads_on(link, seen):
    """Whether a link leads to new folders: neither back into the work folder nor to where another link led."""
    real, work = (os.path.realpath(name) + os.sep for name in (link, _root(gs.WORK_DIR)))
    if real in seen or real.startswith(work) or work.startswith(real):
        return False
    seen.add(real)
    return True


def _root(name):
    return os.path.join(gs.BASE_DIR, name)


def job_id(folder):
    return os.path.relpath(folder, _root(gs.WORK_DIR))


def is_foreign(folder):
    """Whether a job folder is a link, or lies behind one: it belongs to another work folder."""
    return os.path.realpath(folder) != os.path.join(os.path.realpath(_root(gs.WORK_DIR)), job_id(folder))


# names -------------------------------------------------------------------------------------------------------------
def names_of_folders():
    """Job folder -> its id, aliases and the names of its outputs in the output folder."""
    ids = {job_id(folder): folder for folder in job_folders()}
    names = {folder: [name] for name, folder in ids.items()}
    for top in (gs.ALIAS_DIR, gs.OUTPUT_DIR):
        for link in _links(_root(top)):
            owner = owner_of(os.readlink(link), ids)
            if owner is not None:
                names[ids[owner]].append(os.path.relpath(link, gs.BASE_DIR))
    return names


def _links(top):
    for base, folders, files in os.walk(top):
        yield from (full for name in (*folders, *files) if os.path.islink(full := os.path.join(base, name)))


def owner_of(path, ids):
    """The one of the job ``ids`` in whose folder ``path`` lies, None if there is none.

    Only the end of the path counts: it may be absolute and older than the place of the work folder.
    """
    parts = path.split("/")
    for begin in range(len(parts)):
        for end in range(len(parts), begin, -1):
            name = "/".join(parts[begin:end])
            if name in ids:
                return name
    return None


def matching(pattern, names):
    """Keys of ``names`` (key -> names) that ``pattern`` means: a name, else a part or shell pattern of one."""
    roots = tuple(f"{name}/" for name in (gs.WORK_DIR, gs.ALIAS_DIR, gs.OUTPUT_DIR))

    def bare(name):
        return next((name[len(root) :] for root in roots if name.startswith(root)), name)

    wanted = bare(pattern.rstrip("/"))
    exact = [key for key, called in names.items() if wanted in map(bare, called)]
    if exact:
        return sorted(exact)
    patterns = (wanted, f"*/{wanted}") if any(c in wanted for c in "*?[") else (f"*{wanted}*",)
    return sorted(
        k for k, called in names.items() if any(fnmatch.fnmatchcase(bare(n), p) for n in called for p in patterns)
    )


def find(pattern, names, ids):
    """What ``pattern`` names: by folder, alias or output or a file behind them, else by id or a part of a name.

    ``names``: key -> names, as `matching` takes them; ``ids``: job id -> key.
    """
    full = os.path.join(gs.BASE_DIR, pattern)
    inside = owner_of(full, ids) or (os.path.lexists(full) and owner_of(os.path.realpath(full), ids))
    return [ids[inside]] if inside else matching(pattern, names)


def find_folders(pattern, names=None):
    """The job folders that ``pattern`` names."""
    names = names_of_folders() if names is None else names
    return find(pattern, names, {job_id(folder): folder for folder in names})


def one_of(pattern, found, show=lambda folder: f"{folder_state(folder):<10} {job_id(folder)}"):
    """The only entry of ``found``. Raises `JobError` otherwise; of several, ``show`` prints a line each."""
    if not found:
        raise JobError(f"no job matches {pattern!r}")
    if len(found) > 1:
        listing = "".join(f"\n  {show(one)}" for one in found)
        raise JobError(f"{pattern!r} should name one job, but it matches {len(found)}:{listing}")
    return found[0]


# state -------------------------------------------------------------------------------------------------------------
def folder_state(folder):
    """``finished``, ``running``, ``failed`` or ``unfinished``."""
    if has_finished_marker(folder):
        return "finished"
    names = os.listdir(folder)
    failed = layout.ids_with(names, layout.ERROR)
    ended = {*failed, *layout.ids_with(names, layout.FINISHED)}
    if any(_runs(folder, *one, one in ended) for one in layout.ids_with(names, layout.LOG, layout.USAGE)):
        return "running"
    return "failed" if failed else "unfinished"


def _runs(folder, task, task_id, ended):
    """Whether a process of this host runs the task id, or one of another host wrote a moment ago."""
    log, usage_file = (layout.file_of(folder, kind, task, task_id) for kind in (layout.LOG, layout.USAGE))
    usage = read_usage(usage_file)
    here = runs_here(usage)
    if here or is_claimed(log):
        return True
    return False if here is False or ended else recently_active(usage, usage_file, log)
