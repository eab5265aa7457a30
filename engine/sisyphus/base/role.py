"""What this process is: a manager, a worker, or neither; and whether the code of a config runs at the moment."""

import contextlib

_role = None
_loading = False


def set_role(role):
    """:param role: ``"manager"``, ``"worker"`` or None"""
    global _role
    _role = role


def running_in_worker():
    return _role == "worker"


def running_in_manager():
    return _role == "manager"


def loading_config():
    return _loading


@contextlib.contextmanager
def loading():
    """Inside, the code of a config runs."""
    global _loading
    before, _loading = _loading, True
    try:
        yield
    finally:
        _loading = before
