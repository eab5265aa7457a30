"""Describes failures for people, and calls the hook of the settings once for each."""

import dataclasses
import logging
import os
import queue
import shlex

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout
from ..base.services import Service
from ..base.usage_file import read_usage
from ..base.words import tail, usage_as_text
from ..loader import config_manager

PATIENCE = 30  # seconds that a run waits at its end for the hook


def short_name(job):
    """Id and alias (or the name given for display) of a job."""
    extra = job.get_one_alias() or (job.get_vis_name() if gs.SHOW_VIS_NAME_IN_MANAGER else None)
    return job._sis_id() + (f" ({extra})" if extra else "")


@dataclasses.dataclass(frozen=True)
class Failure:
    """``name``: id and alias. ``why``: in words. ``state``: as in `global_constants`. ``folder``, ``log`` (None if no
    task has run): relative to the setup folder. ``task_id``: 1, 2, ... ``usage``: content of the usage file, ``{}`` if
    there is none. ``again``: the command that runs this job again. ``job``: the `Job` itself."""

    job: object
    name: str
    state: str
    why: str
    folder: str
    made_in: str
    task: str | None
    task_id: int | None
    log: str | None
    usage: dict
    again: str

    def last_lines(self, count=None):
        """The end of the log, ``PRINT_ERROR_LINES`` lines of it."""
        lines = gs.PRINT_ERROR_LINES if count is None else count
        return tail(os.path.join(gs.BASE_DIR, self.log), lines) if self.log else []

    @property
    def cause(self):
        """`last_cause` of the log, else an empty text."""
        from ..reading.failure import last_cause

        return last_cause(self.last_lines(60)) or ""

    @property
    def title(self):
        """One line, for the subject of a mail."""
        return f"{self.name} {self.why}"

    def text(self):
        """All lines that a run prints below the title."""
        lines = [f"folder   {self.folder}"]
        lines += [f"made in  {self.made_in}"] * bool(self.made_in)
        lines += [f"used     {usage_as_text(self.usage)}"] * bool(self.usage)
        if self.log and gs.PRINT_ERROR:
            lines += [f"log      {self.log}, last lines:", *("| " + line for line in self.last_lines())]
        return "\n".join([*lines, f"again    {self.again}"] if self.again else lines)


def failure_of(job, state=gc.STATE_ERROR, engine=None, known=None):
    """The `Failure` of a job in ``state``. ``known``: the reason and the name of the log, if the caller has them."""
    from ..reading.failure import failure  # a run without failures reads no job folder

    why, log = known or failure(job, state, engine=engine)
    folder, file = job._sis_path(abspath=True), layout.task_file(log) if log else None
    return Failure(
        job=job,
        name=short_name(job),
        state=state,
        why=why,
        folder=job._sis_path(),
        made_in=job._sis_made_in(),
        task=file and file.task,
        task_id=file and file.task_id,
        log=log and f"{job._sis_path()}/{log}",
        usage=read_usage(layout.file_of(folder, layout.USAGE, file.task, file.task_id)) if file else {},
        again="" if known else shlex.join(["sis", "rerun", job._sis_id(), *config_manager.loaded]),
    )


class FailureHook:
    """Calls ``on_new_failure`` of the settings, one failure after the other, in a thread: it may hang or fail."""

    def __init__(self):
        self._failures = queue.SimpleQueue()
        self._thread = None

    def add(self, failure):
        self._failures.put(failure)
        if self._thread is None:
            self._thread = Service("failure hook", self._run)
            self._thread.start()

    def _run(self):
        while (failure := self._failures.get()) is not None:
            try:
                gs.on_new_failure(failure)
            except BaseException:  # SystemExit too: the thread goes on
                logging.exception("on_new_failure of the settings failed for %s", failure.name)

    def close(self, patience=PATIENCE):
        """Wait until all failures are handled, at most ``patience`` seconds."""
        if self._thread is None:
            return
        self._failures.put(None)
        self._thread.join(patience)
        if self._thread.is_alive():
            logging.warning("on_new_failure of the settings has not come to an end, this run does not wait for it")
