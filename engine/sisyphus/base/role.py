"""What this process is: a manager, a worker, or neither; and whether the code of a config runs at the moment."""

import contextlib

_role = None
_outputs = None
_loading = False


def set_role(role, outputs=None):
    """
    :param role: ``"manager"``, ``"worker"`` or None
    :param outputs: output folder of the worker's job, relative to the setup folder
    """
    global _role, _outputs
    _role, _outputs = role, outputs


def running_in_worker():
    return _role == "worker"


def running_in_manager():
    return _role == "manager"


@contextlib.contextmanager
def worker_of(outputs):
    """Inside, this process is the worker of the job with this output folder."""
    before = _role, _outputs
    set_role("worker", outputs)
    try:
        yield
    finally:
        set_role(*before)


def is_own_output(path):
    """Whether the job that this process works for writes ``path``, however the setup folder is spelt in it."""
    return _outputs is not None and f"{_outputs}/" in path


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
