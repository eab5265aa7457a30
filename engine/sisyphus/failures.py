"""Why a job failed, for people; and the hook of the settings that is told of every failure once."""

import dataclasses
import logging
import os
import queue
import re
import shlex
import threading

from . import global_constants as gc
from . import global_settings as gs
from .resources import read_usage
from .tools import inside_setup, tail

PATIENCE = 30  # seconds that a run waits at its end for the hook
_CAUSE = re.compile(r"\[[^]]*\] ERROR: (.*)|([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Missing)\b.*)")


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
        return last_cause(self.last_lines(60)) or ""

    @property
    def title(self):
        """One line, for the subject of a mail."""
        return f"{self.name} {self.why}"

    def text(self):
        """Everything in lines, as a run prints it below the title."""
        lines = [f"folder   {self.folder}"]
        lines += [f"made in  {self.made_in}"] * bool(self.made_in)
        lines += [f"used     {used_in_words(self.usage)}"] * bool(self.usage)
        if self.log and gs.PRINT_ERROR:
            lines += [f"log      {self.log}, last lines:", *("| " + line for line in self.last_lines())]
        return "\n".join([*lines, f"again    {self.again}"] if self.again else lines)


def failure_of(job, state=gc.STATE_ERROR, engine=None, known=None):
    """The `Failure` of a job that is in ``state``; ``known``: why and log, if nobody need look."""
    from .loader import config_manager
    from .reporter import short_name

    why, log = known or job._sis_failure(engine)
    task, task_id = os.path.basename(log).split(".")[1:] if log else (None, None)
    return Failure(
        job=job,
        name=short_name(job),
        state=state,
        why=why,
        folder=job._sis_path(),
        made_in=job._sis_made_in(),
        task=task,
        task_id=int(task_id) if log else None,
        log=inside_setup(log) if log else None,
        usage=read_usage(job._sis_file(gc.PLOGGING_FILE, task, task_id)) if log else {},
        again="" if known else shlex.join(["sis", "rerun", job._sis_id(), *config_manager.loaded]),
    )


def last_cause(lines):
    """The last line of a log that the engine wrote as an error, or that ends one of Python's tracebacks, else None."""
    found = filter(None, map(_CAUSE.fullmatch, reversed(lines)))
    return next((match[1] or match[2] for match in found), None)


def used_in_words(usage):
    """Time, memory and CPU of a task id against what it asked for, and its host."""
    from .reporter import duration

    asked, most = usage.get("requested_resources", {}), usage.get("max", {})
    parts = [
        duration(3600 * usage.get("used_time", 0))
        + (f" of {duration(3600 * asked['time'])}" if "time" in asked else ""),
        f"{most.get('rss', 0):.2f}" + (f" of {asked['mem']:g}" if "mem" in asked else "") + " GB",
        f"{most.get('cpu', 0):.0f} % CPU" + (f" of {asked['cpu']} cores" if "cpu" in asked else ""),
    ]
    parts += ["out of memory"] * bool(usage.get("out_of_memory"))
    return ", ".join(parts) + f", on {usage.get('host', 'an unknown host')}"


class FailureHook:
    """Calls ``on_new_failure`` of the settings, one failure after the other, in a thread: it may hang or fail."""

    def __init__(self):
        self._failures = queue.SimpleQueue()
        self._thread = None

    def tell(self, failure):
        self._failures.put(failure)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="failure hook", daemon=True)
            self._thread.start()

    def _run(self):
        while (failure := self._failures.get()) is not None:
            try:
                gs.on_new_failure(failure)
            except Exception:
                logging.exception("on_new_failure of the settings failed for %s", failure.name)

    def close(self, patience=PATIENCE):
        """Wait for what was told, at most ``patience`` seconds."""
        if self._thread is None:
            return
        self._failures.put(None)
        self._thread.join(patience)
        if self._thread.is_alive():
            logging.warning("on_new_failure of the settings has not come to an end, this run does not wait for it")
