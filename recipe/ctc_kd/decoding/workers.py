"""Shares work between forked processes, which see the parent's data without copying it, and which may die."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any


class WorkersDied(RuntimeError):
    """Worker processes were killed, and their successors, too."""


_function: Callable[[Any], Any] | None = None


def run_units(function: Callable[[Any], Any], units: Mapping[Hashable, Any], *, workers: int) -> Iterator:
    """Yield ``(key, function(unit))`` for all units, in the order in which they finish.

    When a worker process dies (killed, out of memory), the unfinished units are run again by new workers.

    :param function: sees everything it refers to through fork, so it may be a closure over large data
    :param units: key -> argument, which should be small because it is sent through a pipe
    :raises WorkersDied: workers died twice in a row without finishing a unit
    :raises Exception: what ``function`` raised
    """
    from concurrent.futures.process import BrokenProcessPool

    pending, deaths = dict(units), 0
    while pending:
        try:
            for key, result in _run_pool(function, pending, workers):
                del pending[key]
                deaths = 0
                yield key, result
        except BrokenProcessPool:
            deaths += 1
            print(f"a worker process died; {len(pending)} units of work are left", flush=True)
            if deaths == 2:
                raise WorkersDied(
                    "worker processes died twice without finishing anything; were they killed for using too much "
                    "memory? Request more (rqmt['mem']) or fewer workers (rqmt['cpu'])"
                ) from None


def _run_pool(function: Callable, units: Mapping, workers: int) -> Iterator:
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(
        min(workers, len(units)),
        mp_context=get_context("fork"),
        initializer=_start_worker,
        initargs=(function, os.getpid()),
    )
    try:
        futures = {pool.submit(_call, unit): key for key, unit in units.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(function: Callable, parent: int):
    global _function
    _function = function
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once; the parent would wait for its unit
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int):
    """Ends a worker whose parent was killed: it would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _call(unit):
    return _function(unit)


def chunks(lengths: Mapping[str, int], number: int) -> Iterator[list[str]]:
    """Deal utterances into at most ``number`` lists of about equal total length.

    :param lengths: utterance -> frames
    """
    ordered = sorted(lengths, key=lambda utterance: (-lengths[utterance], utterance))
    for first in range(min(number, len(ordered))):
        yield ordered[first::number]
