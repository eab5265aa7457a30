"""Threads that a run needs to its end. None of them dies unnoticed: its error is logged, and `check` ends the run."""

import logging
import threading

from .refusal import Refusal

_needed = []


class ServiceLost(Refusal):
    """A thread of the manager has ended too early, or could not be started."""


class Service(threading.Thread):
    """Runs ``work``, which returns when the thread is not needed any more. Raises `ServiceLost` if it cannot start."""

    def __init__(self, name, work):
        super().__init__(name=name, daemon=True)
        self._work = work

    def start(self):
        _needed.append(self)
        try:
            super().start()
        except RuntimeError as e:
            _needed.remove(self)
            raise ServiceLost(f"the manager cannot start its thread {self.name!r}: {e}") from e

    def run(self):
        try:
            self._work()
            _needed.remove(self)
        except BaseException:  # SystemExit too, which ends a thread in silence
            logging.exception("the thread %r of the manager failed", self.name)


def check():
    """Raises `ServiceLost` if a thread is gone that is needed."""
    for service in list(_needed):
        if not service.is_alive():
            _needed.remove(service)
            raise ServiceLost(
                f"the thread {service.name!r} of the manager has ended, so this run stops. "
                "Running tasks go on, and the next sis manager continues here."
            )
