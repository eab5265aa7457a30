"""What a person sees of a run: one line per event, a table by kind of job, and why a job failed."""

import collections
import contextlib
import logging
import os
import shutil
import time

from .. import global_constants as gc
from .. import global_settings as gs
from ..base.words import duration, printable
from .failures import failure_of, short_name
from .graph_states import FAILED
from .silence import SilenceWatch

_EVENTS = {
    gc.STATE_RUNNING: "started",
    gc.STATE_FINISHED: "finished",
    gc.STATE_HOLD: "held",
}
_ORDER = (*sorted(FAILED), gc.STATE_RUNNING, gc.STATE_QUEUE, gc.STATE_RUNNABLE, gc.STATE_HOLD, gc.STATE_WAITING)
REDRAW_PERIOD = 1  # seconds between tables on a terminal
SHOWN = 20  # entries of a list of missing things
_COLOURS = {"FAILED": "\x1b[31m", "finished": "\x1b[32m", "started": "\x1b[36m", "interrupted": "\x1b[33m"}


class Reporter:
    """On a terminal the table stays at the bottom; elsewhere it is printed every ``STATUS_PERIOD`` if it changed.

    ``on_failure`` is called with the `Failure` of every job that fails or falls silent in this run.
    """

    def __init__(self, stream, on_failure=lambda failure: None):
        self._stream = stream
        self._on_failure = on_failure
        self._live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._known = {}
        self._silence = SilenceWatch()
        self._started = {}
        self._announced = set()
        self._refused = {}  # job -> the reason that was printed
        self._drawn = 0  # lines of the table that stand at the bottom of the terminal
        self._printed = (None, time.monotonic())
        self._handlers = []

    # lines -------------------------------------------------------------------------------------------------------
    def write(self, text):
        """Print above the table (also the stream of log messages while a terminal is used)."""
        with _jobs_go_on():
            if self._drawn:
                self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
                self._drawn = 0
            self._stream.write(text)

    def flush(self):
        with _jobs_go_on():
            self._stream.flush()

    def _line(self, text, head=""):
        """``head`` may command the terminal, ``text`` may not."""
        self.write(head + printable(text) + "\n")
        self.flush()

    def event(self, what, job, text=""):
        label = f"{what:<11}"
        if self._live and what in _COLOURS:
            label = f"{_COLOURS[what]}{label}\x1b[0m"
        self._line(f"{short_name(job)} {text}".rstrip(), head=f"[{time.strftime('%T')}] {label} ")

    # life of a run -----------------------------------------------------------------------------------------------
    def begin(self, view):
        """Failures are still reported as events. Jobs that already run get no time, which nobody knows."""
        self._known = {job: state for job, state in view.states.items() if state not in FAILED}
        if self._live:
            for handler in logging.getLogger().handlers:
                if isinstance(handler, logging.StreamHandler):
                    self._handlers.append((handler, handler.setStream(self)))
        elif any(state != gc.STATE_FINISHED for state in view.states.values()):
            self.table(view)
        for job in view.in_state(gc.STATE_RUNNING):
            self._announced.add(job)
            self.event("running", job, "since an earlier run")

    def update(self, view):
        """Report what has changed since the last call."""
        for job in view.changed_jobs():
            state = view.states.get(job)
            if self._known.get(job) != state:
                self._changed(view, job, state)
        if gs.SILENT_HOURS:
            for failure in self._silence.new(view.in_state(gc.STATE_RUNNING, gc.STATE_QUEUE), view.engine):
                self._explain("SILENT", failure)
                self._on_failure(failure)
        self.tick(view)

    def _changed(self, view, job, state):
        self._known[job] = state
        if state in (gc.STATE_RUNNING, gc.STATE_QUEUE) and job not in self._announced:
            self._started.setdefault(job, time.monotonic())
        if state == gc.STATE_RUNNING:
            if job in self._announced:
                return  # a later task of the job
            self._announced.add(job)
            self._refused.pop(job, None)
            self._started[job] = time.monotonic()
        elif state in FAILED or state == gc.STATE_INTERRUPTED_RESUMABLE:
            self._announced.discard(job)
        if state in FAILED:
            why = view.refused.get(job)
            if why is None or why != self._refused.get(job):  # else it was tried again in vain
                self._on_failure(self.failure(view, job))
            self._refused[job] = why
        elif state == gc.STATE_INTERRUPTED_RESUMABLE:
            self.event("interrupted", job, failure_of(job, state, view.engine).why)
        elif state in _EVENTS:
            since = self._started.get(job) if state == gc.STATE_FINISHED else None
            self.event(_EVENTS[state], job, f"({duration(time.monotonic() - since)})" if since else "")

    def tick(self, view):
        """Redraw the table, but not too often: with thousands of jobs that takes a while."""
        age = time.monotonic() - self._printed[1]
        if self._live and (age > REDRAW_PERIOD or not self._drawn):
            self._draw(view)
        elif not self._live and age > gs.STATUS_PERIOD and self._table_lines(view) != self._printed[0]:
            self.table(view)

    def _draw(self, view):
        lines = _fitting(self._table_lines(view))
        self.write("\n".join(lines) + "\n")
        self._drawn = len(lines)
        self.flush()
        self._printed = None, time.monotonic()

    def table(self, view):
        lines = self._table_lines(view)
        self._line("\n".join(lines))
        self._printed = lines, time.monotonic()

    def _table_lines(self, view):
        kinds = collections.defaultdict(collections.Counter)
        total = collections.Counter(view.states.values())
        for job, state in view.states.items():
            kinds[type(job).__name__][state] += 1
        width = max((len(kind) for kind in kinds), default=0)
        lines = [f"  {kind:<{width}}  {_counts(counts)}" for kind, counts in sorted(kinds.items())]
        for job in sorted(view.in_state(gc.STATE_RUNNING)):
            since = duration(time.monotonic() - self._started[job]) if job in self._started else ""
            lines.append(f"  running {short_name(job)}  {since}  {progress(job)}".rstrip())
        finished = total[gc.STATE_FINISHED]
        others = _counts({s: n for s, n in total.items() if s != gc.STATE_FINISHED})
        lines.append(f"{finished} of {len(view.states)} jobs finished" + (f", {others}" if others else ""))
        return [printable(" ".join(line.splitlines())) for line in lines]

    # failures ----------------------------------------------------------------------------------------------------
    def failure(self, view, job):
        """Show why the job failed, its folder, where the config makes it, and the end of its log."""
        known = (view.refused[job], None) if job in view.refused else None
        failure = failure_of(job, view.states[job], view.engine, known)
        self._explain("FAILED", failure)
        return failure

    def _explain(self, what, failure):
        self.event(what, failure.job, failure.why)
        self._line("\n".join("    " + line for line in failure.text().split("\n")))

    def plan(self, view):
        """What a run would do."""
        self.table(view)
        for job in sorted(view.in_state(gc.STATE_RUNNABLE, gc.STATE_INTERRUPTED_RESUMABLE)):
            self._line(f"  would start {short_name(job)}")
        for job in view.in_state(*FAILED):
            self.failure(view, job)
        self._missing_inputs(view)

    def verbose(self, view):
        """Every job with its state and targets."""
        for job, state in sorted(view.states.items(), key=lambda item: (item[1], item[0])):
            targets = ", ".join(sorted(job._sis_needed_for_which_targets)[:3])
            self._line(f"  {state}: {short_name(job)}" + (f" <target: {targets}>" if targets else ""))

    def _missing_inputs(self, view):
        for path, job in view.missing_inputs()[:SHOWN]:
            self._line(f"  missing input {path.get_path()} of {short_name(job)}")

    def interrupted(self, view):
        self._line("Stopped. The next sis manager continues here.")
        for job in view.in_state(gc.STATE_RUNNING):
            self._line(f"  still running: {short_name(job)}")

    def end(self, view, not_made, missing):
        """Sum up the run; returns whether everything that was asked for is there and no job failed.

        ``not_made``: names of targets; ``missing``: paths that vanished after their job finished.
        """
        (self._draw if self._live else self.table)(view)
        self._drawn = 0  # the last table stays
        failed = view.in_state(*FAILED)
        if not (not_made or missing or failed):
            self._line("All outputs are there.")
            return True
        self._line(f"Not all outputs could be made: {len(failed)} jobs failed, nothing else can be done.")
        for job in failed:
            self._line(f"  failed: {short_name(job)}")
        self._missing_inputs(view)
        for name in not_made[:SHOWN]:
            self._line(f"  not made: {name}")
        if len(not_made) > SHOWN:
            self._line(f"  and {len(not_made) - SHOWN} more")
        for path in missing:
            self._line(f"  output {path.get_path()} does not exist although its job is finished: sis rerun --force it")
        return False

    def close(self):
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._drawn = 0


@contextlib.contextmanager
def _jobs_go_on():
    """Inside, what cannot be written, as on a full disk, is left out. Only a reader that has gone ends the run."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError:
        pass


def _fitting(lines):
    """``lines`` cut to the size of the terminal, which cannot redraw what has scrolled out or wrapped."""
    columns, rows = shutil.get_terminal_size()
    keep = max(rows - 4, 1)
    if len(lines) > keep + 2:
        lines = [*lines[:keep], f"  ... {len(lines) - keep - 1} more lines", lines[-1]]
    return [line[: columns - 1] for line in lines]


def _counts(counts):
    order = {state: i for i, state in enumerate(_ORDER)}
    return ", ".join(f"{n} {s}" for s, n in sorted(counts.items(), key=lambda c: order.get(c[0], 99)))


def progress(job):
    try:
        info, fraction = job.info(), job.completed_fraction()
        return " ".join(([str(info)] if info else []) + ([f"[{fraction:.0%}]"] if fraction is not None else []))
    except Exception as e:  # recipes' code must not stop the manager
        return f"info() or completed_fraction() failed: {e!r}"
