"""Everything a person asks of one job, as lines of text (``sis info``). Only reads."""

import contextlib
import os

from .. import global_constants as gc
from ..base.layout import log_file
from ..base.refusal import JobError
from ..base.words import in_bytes, inside_setup, usage_as_text, value_as_text
from ..jobs.stored import load_job
from ..manager import alias_names
from ..reading import usage
from ..reading.failure import failure
from ..reading.folder import JobFolder, outputs
from ..reading.lookup import folder_state, job_folders, job_id, names_of_folders, owner_of
from ..run.graph_states import FAILED
from ..run.reporter import progress
from ..upkeep.busy import busy_ones
from ..upkeep.removal import users_of_folders

LISTED = 50  # entries of one list
_MADE_IN = "MADE IN: "


class StoredJobs:
    """Jobs as their folders describe them. ``states`` and ``refused`` hold the job that was loaded."""

    def __init__(self):
        self.ids = {job_id(folder): folder for folder in job_folders()}
        self.states = {}
        self.refused = {}

    def load(self, folder):
        """The job stored in a folder. Raises `JobError` if its recipe does not fit any more."""
        try:
            job = load_job(folder)
        except Exception as e:  # whatever unpickling with a changed recipe raises
            raise JobError(
                f"the stored job of {folder} cannot be loaded ({type(e).__name__}: {e}); read {folder}/{gc.JOB_INFO}"
            ) from e
        state = folder_state(folder)
        if state in ("failed", "unfinished") and busy_ones([folder]):
            state = gc.STATE_QUEUE
        self.states[job] = gc.STATE_ERROR if state == "failed" else state
        with contextlib.suppress(Exception):  # of the recipe; the files name the tasks too
            job._sis_tasks()
        return job

    def state_of(self, sis_id):
        return folder_state(self.ids[sis_id]) if sis_id in self.ids else "not set up"

    def users(self, job):
        return [job_id(f) for f in users_of_folders().get(job._sis_path(abspath=True), ())]

    def names(self, job):
        return names_of_folders().get(job._sis_path(abspath=True), [])[1:]


class GraphJobs(StoredJobs):
    """Jobs of the loaded graph, and other jobs as their folders describe them."""

    def __init__(self, view):
        super().__init__()
        self.states, self.refused = view.states, view.refused
        self._by_id = {job._sis_id(): job for job in view.states}

    def line(self, job):
        return f"{self.states[job]:<10} {job._sis_id()}"

    def state_of(self, sis_id):
        return self.states[self._by_id[sis_id]] if sis_id in self._by_id else super().state_of(sis_id)

    def users(self, job):
        in_graph = (user._sis_id() for user in self.states if job in user._sis_creators())
        return sorted({*super().users(job), *in_graph})


def describe(job, known, log_lines):
    """The text, line by line; ``known``: `StoredJobs` or `GraphJobs`."""
    folder = JobFolder(job._sis_path(abspath=True))
    state = known.states[job]
    why, log = failure(job, state, refused=known.refused.get(job), folder=folder) if state in FAILED else ("", None)
    running = state in (gc.STATE_RUNNING, gc.STATE_QUEUE)
    yield job._sis_id()
    yield from _line("state", f"{state}: {why}" if why else f"{state} {progress(job) if running else ''}")
    yield from _line("folder", job._sis_path() + ("" if os.path.isdir(folder.path) else " (not made yet)"))
    yield from _block("names", known.names(job) or alias_names(job))
    yield from _line("made in", job._sis_made_in() or _noted(folder))
    parameters = sorted(job._sis_kwargs.items())
    yield from _block("parameters", (f"{name} = {value_as_text(value)}" for name, value in parameters))
    yield from _block("inputs", _inputs(job, known))
    yield from _block("used by", (f"{known.state_of(user):<10} {user}" for user in known.users(job)))
    for task in usage.tasks(job, folder, running):
        yield from _task(task)
    yield from _block("outputs", (_output(name, size, note) for name, (_, size, note) in outputs(job).items()))
    log = log or _newest_log(folder)
    if log:
        yield f"  log {inside_setup(os.path.join(folder.path, log))}, last lines:"
        yield from ("    | " + line for line in folder.tail(log, log_lines))


def _line(title, text):
    return [f"  {title:<9} {text}".rstrip()] if text else []


def _block(title, lines):
    lines = list(lines)
    more = [f"    and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return [f"  {title}", *("    " + line for line in lines[:LISTED]), *more] if lines else []


def _noted(folder):
    lines = (line for line in folder.text(gc.JOB_INFO).splitlines() if line.startswith(_MADE_IN))
    return next(lines, "").removeprefix(_MADE_IN)


def _inputs(job, known):
    creators, files = set(), []
    for path in sorted(job._sis_inputs):
        creator = path.creator._sis_id() if hasattr(path.creator, "_sis_id") else owner_of(path.get_path(), known.ids)
        if creator:
            creators.add(creator)
        else:
            state = "exists" if os.path.exists(path.get_path()) else "missing"
            files.append(f"{state:<10} {inside_setup(path.get_path())}")
    return [f"{known.state_of(creator):<10} {creator}" for creator in sorted(creators)] + files


def _task(task):
    counts = ", ".join(f"{n} {state}" for state, n in task.counts.items())
    lines = []
    if task.submissions:
        lines.append(f"{len(task.submissions)} submissions, the last one: {_submission(task.submissions[-1])}")
    for i in task.ids[:LISTED]:
        lines.append(f"{i.number}: {i.state}" + (f", {usage_as_text(i.usage)}" if i.usage else ""))
    return _block(f"task {task.name}: {counts}", lines)


def _submission(submission):
    ids, rqmt = submission
    return f"ids {_ranges(ids)} to {rqmt.get('engine_name')} for {usage.request_as_text(rqmt)}"


def _ranges(ids):
    """``1-4,7`` for sorted numbers."""
    parts = []
    for i in sorted(ids):
        if parts and parts[-1][1] == i - 1:
            parts[-1][1] = i
        else:
            parts.append([i, i])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def _output(name, size, note):
    return f"{in_bytes(size) if size is not None else note:>9}  {name}"


def _newest_log(folder):
    logs = (name for name in folder.entries if log_file(name))
    return max(logs, key=lambda name: folder.entries[name].modified, default=None)
