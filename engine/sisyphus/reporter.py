"""What a person sees of a run: events, a summary by kind of job, and why a job failed."""

import collections
import os
import time

from . import global_constants as gc
from . import global_settings as gs
from .graph_states import FAILED

_LABELS = {
    gc.STATE_RUNNING: "started",
    gc.STATE_FINISHED: "finished",
    gc.STATE_HOLD: "held",
    gc.STATE_INTERRUPTED_RESUMABLE: "interrupted",
}


class Reporter:
    def __init__(self, stream):
        self.stream = stream
        self.known = {}
        self.started = {}

    def _line(self, text):
        self.stream.write(text + "\n")
        self.stream.flush()

    def event(self, what, job, text=""):
        self._line(f"[{time.strftime('%T')}] {what:<11} {short_name(job)} {text}".rstrip())

    def begin(self, view):
        self.known = {j: s for j, s in view.states.items() if s not in FAILED and s != gc.STATE_RUNNING}
        self.summary(view)

    def summary(self, view):
        kinds = collections.defaultdict(collections.Counter)
        for job, state in view.states.items():
            kinds[type(job).__name__][state] += 1
        for kind, counts in sorted(kinds.items()):
            self._line(f"  {kind:<32} " + "  ".join(f"{s} {n}" for s, n in sorted(counts.items())))

    def update(self, view):
        for job, state in view.states.items():
            if self.known.get(job) == state:
                continue
            self.known[job] = state
            if state in (gc.STATE_RUNNING, gc.STATE_QUEUE):
                self.started.setdefault(job, time.monotonic())
            if state in FAILED:
                self.failure(view, job)
            elif state in _LABELS:
                since = self.started.get(job)
                text = f"({time.monotonic() - since:.1f} s)" if state == gc.STATE_FINISHED and since else ""
                self.event(_LABELS[state], job, text)

    def failure(self, view, job):
        title, log = (view.refused[job], []) if job in view.refused else job._sis_error_text(gs.PRINT_ERROR_LINES)
        self.event("FAILED", job, title)
        self._line(f"    folder   {job._sis_path()}")
        places = job.__dict__.get("_sis_call_places")
        if places:
            self._line("    made in  " + ", from ".join(f"{os.path.relpath(f, gs.BASE_DIR)}:{n}" for f, n in places))
        for line in log:
            self._line("    | " + line)

    def interrupted(self, view):
        running = view.in_state(gc.STATE_RUNNING)
        self._line(f"interrupted; {len(running)} running jobs go on, the next manager finds them")

    def end(self, view, complete, missing):
        self.summary(view)
        if complete and not missing:
            self._line("All outputs are there.")
        for path in missing:
            self._line(f"missing: {path.get_path()}")

    def close(self):
        pass


def short_name(job):
    alias = job.get_one_alias()
    return job._sis_id() + (f" ({alias})" if alias else "")
