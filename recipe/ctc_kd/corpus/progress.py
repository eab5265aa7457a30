"""The progress of a job that works through one large file, for its log and for the manager's overview."""

from __future__ import annotations

import os
import time

from sisyphus import Job, gs

from ctc_kd.files import read_json, write_json

PROGRESS_FILE = "progress.json"
INTERVAL_S = 10.0


class Progress:
    """Reports every :data:`INTERVAL_S` seconds how much is done; runs in the job's work folder.

    :param what: the name of the file
    :param done: bytes done by earlier runs
    :param total: bytes, None if unknown
    """

    def __init__(self, what: str, *, done: int = 0, total: int | None = None):
        self.what, self.begun, self.total = what, done, total
        self.start_s = self.reported_s = time.monotonic()

    def update(self, done: int):
        """:param done: bytes, those of earlier runs included"""
        now = time.monotonic()
        if now - self.reported_s < INTERVAL_S:
            return
        self.reported_s = now
        text = f"{self.what}: {self._text(done, (done - self.begun) / (now - self.start_s))}"
        print(text, flush=True)
        write_json(PROGRESS_FILE, {"text": text, "fraction": done / self.total if self.total else None})

    def _text(self, done: int, bytes_per_s: float) -> str:
        speed = f"{bytes_per_s / 1e6:.1f} MB/s"
        if not self.total:
            return f"{done / 1e9:.2f} GB, {speed}"
        left = f"{(self.total - done) / bytes_per_s / 60:.0f} min left" if bytes_per_s > 0 else "stalled"
        return f"{done / 1e9:.2f} of {self.total / 1e9:.2f} GB ({done / self.total:.0%}), {speed}, {left}"


class ProgressJob(Job):
    """A job whose task uses :class:`Progress`."""

    def info(self) -> str | None:
        return self._progress().get("text")

    def completed_fraction(self) -> float | None:
        return self._progress().get("fraction")

    def _progress(self) -> dict:
        try:
            return read_json(os.path.join(gs.BASE_DIR, self.work_path(), PROGRESS_FILE))
        except FileNotFoundError:  # not yet, or the work folder of the finished job is gone
            return {}
