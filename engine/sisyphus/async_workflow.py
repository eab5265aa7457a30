"""Async configs: ``await tk.async_run(paths)`` continues when the files are there."""

import asyncio
import contextlib
import logging

from . import block
from .delayed_ops import DelayedBase
from .graph import OutputCall, graph
from .tools import extract_paths

STEPS = 200  # of the event loop before a config counts as waiting; each nested `asyncio.gather` takes three
_waiters = []  # (paths, future) for everything that is awaited


class AsyncConfigs:
    """Runs the coroutines of async configs on an event loop that is advanced between manager cycles."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._tasks = {}
        self._failed = set()

    def add(self, name, coroutine):
        """Run the config ``name`` until it waits for jobs; raises what it raises."""
        task = self._tasks[name] = self._loop.create_task(coroutine)
        self._run()
        if task.done():
            del self._tasks[name]
            task.result()

    def advance(self):
        """Run until everything waits for jobs; returns whether anything went on.

        A config that fails is reported once and never continued; the jobs go on.
        """
        progress = self._run()
        for name, task in list(self._tasks.items()):
            if task.done() and name not in self._failed:
                try:
                    task.result()
                    del self._tasks[name]
                except (Exception, asyncio.CancelledError):
                    logging.exception("config %s failed", name)
                    self._failed.add(name)
        return progress

    def _run(self):
        progress = False
        for _ in range(1000):
            woken = _resolve()
            before = len(_waiters), sum(t.done() for t in self._tasks.values())
            for _ in range(STEPS):
                self._loop.call_soon(self._loop.stop)
                self._loop.run_forever()
            if not woken and before == (len(_waiters), sum(t.done() for t in self._tasks.values())):
                break
            progress = True
        return progress

    def waiting(self):
        """Names of configs that have not come to their end."""
        return list(self._tasks)


def _resolve():
    """End the waits for what is there now; returns whether any ended. An error of a path is its config's."""
    woken = False
    for paths, future in list(_waiters):
        try:
            if not future.done() and all(p.available() for p in paths):
                future.set_result(None)
        except Exception as e:  # of the recipe, which may say itself what is available
            future.set_exception(e)
        if future.done():  # also one that was cancelled
            _waiters.remove((paths, future))
            woken = True
    return woken


@contextlib.contextmanager
def async_context():
    """Around an ``await``: the blocks of this config are not those of the configs that go on meanwhile."""
    active, block.active_blocks = block.active_blocks, set()
    try:
        yield
    finally:
        block.active_blocks = active


async def async_run(obj):
    """Make everything ``obj`` needs a target and wait until it is available; returns the value of a delayed value."""
    paths = extract_paths(obj)
    if not all(p.available() for p in paths):
        graph.add_target(OutputCall(f"async {len(graph.targets)}", lambda *_: None, (obj,), {}))
        future = asyncio.get_running_loop().create_future()
        _waiters.append((paths, future))
        with async_context():
            await future
    return obj.get() if isinstance(obj, DelayedBase) else None


async def async_gather(*coroutines):
    """Run coroutines side by side; returns their results in order."""
    return await asyncio.gather(*coroutines)
