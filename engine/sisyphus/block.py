"""Named groups of jobs, for people who look at a large graph."""

import functools

from . import global_settings as gs

active_blocks = set()  # never changed in place: whoever takes it away can put it back
all_root_blocks = []


class Block:
    """A named group of jobs and further groups. ``with group:`` adds the jobs made inside; it may be entered often."""

    def __init__(self, name, parents=None):
        self.name = name
        self.parents = set() if parents is None else parents
        self.children = []
        self._outer = []  # what was active at each entry that has not ended

    def add_block(self, block):
        self.children.append(block)

    def sub_block(self, name):
        """A new group inside this one, which is not active yet."""
        child = Block(name, {self})
        self.add_block(child)
        return child

    def add_job(self, job):
        if self not in job._sis_blocks:
            self.children.append(job)
            job._sis_blocks.add(self)

    def __enter__(self):
        global active_blocks
        self._outer.append(active_blocks)
        active_blocks = {self}
        return self

    def __exit__(self, *error):
        global active_blocks
        active_blocks = self._outer.pop()

    def __str__(self):
        return self.name


def add_job(job):
    """Put ``job`` into all blocks that are active now."""
    for active in active_blocks:
        active.add_job(job)


def add_to_active_blocks(group):
    """Put ``group`` into all blocks that are active now."""
    for active in active_blocks - group.parents:
        active.add_block(group)
        group.parents.add(active)


def sub_block(name):
    """A new block inside the active ones, for ``with``."""
    group = Block(name)
    add_to_active_blocks(group)
    return group


def set_root_block(name):
    """Make ``name`` the active root block from here on; returns it."""
    global active_blocks
    root = next((known for known in all_root_blocks if known.name == name), None)
    if root is None:
        root = Block(name)
        all_root_blocks.append(root)
    active_blocks = {root}
    return root


class block:
    """``with block("name"):`` or ``@block("name")`` or ``@block(cache=True)``: group the jobs made inside."""

    def __init__(self, name=None, cache=False):
        self.name = name
        self.cache = cache
        self._entered = []

    def __enter__(self):
        assert self.name is not None, "with tk.block() needs a name"
        self._entered.append(sub_block(self.name))
        return self._entered[-1].__enter__()

    def __exit__(self, *error):
        return self._entered.pop().__exit__(*error)

    def __call__(self, func):
        known = {}  # hash of the arguments -> (result, its block)

        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            key = gs.SIS_HASH((args, kwargs)) if self.cache else None
            if key in known:
                result, group = known[key]
                add_to_active_blocks(group)
                return result
            with sub_block(self.name or func.__name__) as group:
                result = func(*args, **kwargs)
            if self.cache:
                known[key] = result, group
            return result

        return wrapper
