"""Named groups of jobs, for people who look at a large graph."""

import contextlib
import functools

from . import global_settings as gs

active_blocks = set()
all_root_blocks = []


class Block:
    """A named group: its jobs and its sub-blocks."""

    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.children = []
        if parent is None:
            all_root_blocks.append(self)
        else:
            parent.add_block(self)

    def add_block(self, block):
        self.children.append(block)

    def add_job(self, job):
        if self not in job._sis_blocks:
            self.children.append(job)
            job._sis_blocks.add(self)

    def __str__(self):
        return self.name


def add_job(job):
    """Put ``job`` into all blocks that are active now."""
    for block in active_blocks:
        block.add_job(job)


@contextlib.contextmanager
def _activate(block):
    previous = set(active_blocks)
    active_blocks.clear()
    active_blocks.add(block)
    try:
        yield block
    finally:
        active_blocks.clear()
        active_blocks.update(previous)


class block:
    """``with block("name"):`` or ``@block("name")`` or ``@block(cache=True)``: group the jobs made inside."""

    def __init__(self, name=None, cache=False):
        self.name = name
        self.cache = cache

    def __enter__(self):
        self._context = sub_block(self.name)
        return self._context.__enter__()

    def __exit__(self, *error):
        return self._context.__exit__(*error)

    def __call__(self, func):
        known = {}

        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            key = gs.SIS_HASH((args, kwargs)) if self.cache else None
            if key is not None and key in known:
                return known[key]
            with sub_block(self.name or func.__name__):
                result = func(*args, **kwargs)
            if key is not None:
                known[key] = result
            return result

        return wrapper


def sub_block(name):
    """Context manager: a block inside the active one (a root block if none is active)."""
    parent = next(iter(active_blocks), None)
    return _activate(Block(name, parent))


def set_root_block(name):
    """Make ``name`` the active root block from here on; returns it."""
    active_blocks.clear()
    root = Block(name)
    active_blocks.add(root)
    return root
