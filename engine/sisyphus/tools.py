"""Small helpers shared by the engine and by recipes."""

import contextlib
import enum
import functools
import logging
import os
import sys
import time

from . import global_settings as gs
from .block import Block
from .delayed_ops import DelayedBase, try_get  # noqa: F401  recipes import try_get from here
from .hash import get_object_state
from .job_path import AbstractPath

_ATOMS = frozenset((str, int, float, bool, complex, bytes, type(None)))


def sis_hash(obj):
    """Hash text of ``obj`` as used in job ids."""
    return gs.SIS_HASH(obj)


def extract_paths(args):
    """All `AbstractPath` objects found in ``args``: in containers, dict values and attributes of objects."""
    found, visited, stack = set(), {}, [args]
    while stack:
        obj = stack.pop()
        cls = type(obj)
        if cls in _ATOMS or id(obj) in visited:
            continue
        visited[id(obj)] = obj  # keeps it alive, so that its id stays its own
        if isinstance(obj, AbstractPath):
            found.add(obj)
        elif isinstance(obj, (bytes, Block, enum.Enum)):
            continue
        elif isinstance(obj, (list, tuple, set, frozenset)):
            stack.extend(obj)
        elif isinstance(obj, dict):
            stack.extend(v for k, v in obj.items() if not (isinstance(k, str) and k.startswith("_sis_")))
        elif hasattr(obj, "_sis_id") and hasattr(obj, "_sis_outputs"):  # a job: its public attributes
            stack.extend(v for k, v in obj.__dict__.items() if not k.startswith("_"))
        else:
            stack.append(get_object_state(obj))
    return found


def str_to_GB(mem):
    """``"512M"``, ``"2G"``, ``"1T"``, ``"5K"`` or a number of GB -> float GB."""
    if isinstance(mem, (int, float)):
        return float(mem)
    text = mem.strip().upper().removesuffix("B")
    factor = {"K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0}.get(text[-1:])
    return float(text) if factor is None else float(text[:-1]) * factor


def str_to_hours(time):
    """``"H:M:S"`` (also ``"H:M"``) or a number of hours -> float hours."""
    if isinstance(time, (int, float)):
        return float(time)
    parts = [float(p) for p in time.split(":")]
    return sum(p / 60**i for i, p in enumerate(parts))


@contextlib.contextmanager
def execute_in_dir(path):
    """Run the body with ``path`` as the current directory."""
    before = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


def cache_result(cache_time=30, force_update=None, clear_cache=None):
    """Decorator: calls with arguments of equal text give the same result for ``cache_time`` seconds.

    ``force_update``: name of a keyword; a call with it true calls the function anew.
    ``clear_cache``: name of a keyword; a call with it only forgets all results.
    """

    def decorate(func):
        known = {}  # text of the arguments -> (time, result)

        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            if clear_cache in kwargs:
                known.clear()
                return None
            forced = kwargs.pop(force_update, False)
            key = str((args, kwargs))
            if forced or key not in known or time.monotonic() - known[key][0] > cache_time:
                known[key] = time.monotonic(), func(*args, **kwargs)
            return known[key][1]

        return wrapper

    return decorate


def hardlink_or_copy(src, dst):
    """Copy the tree ``src`` to ``dst`` with hard links where the file system allows them."""
    import shutil

    def link(a, b):
        try:
            os.link(a, b)
        except OSError:
            shutil.copy2(a, b)

    if os.path.isdir(src):
        shutil.copytree(src, dst, symlinks=True, copy_function=link)
    else:
        link(src, dst)


def sh(
    command,
    capture_output=False,
    pipefail=True,
    executable=None,
    except_return_codes=(0,),
    sis_quiet=False,
    sis_replace=None,
    include_stderr=False,
    **kwargs,
):
    """Run ``command`` with bash; returns its decoded standard output if captured.

    ``{name}`` in it is replaced by the keyword ``name`` or else by ``sis_replace[name]``; braces that stay are doubled.
    Raises `subprocess.CalledProcessError` for exit codes other than 0 that are not in ``except_return_codes``.
    """
    import subprocess

    command = command.format(**{**(sis_replace or {}), **kwargs})
    if not sis_quiet:
        logging.info("Run in Shell: %s", command)
    sys.stdout.flush()
    sys.stderr.flush()
    if pipefail and executable is None:
        command = "set -ueo pipefail && " + command
    result = subprocess.run(
        command,
        shell=True,
        executable=executable or "/bin/bash",
        stdout=subprocess.PIPE if capture_output else None,
        stderr=subprocess.STDOUT if capture_output and include_stderr else None,
    )
    if result.returncode and result.returncode not in except_return_codes:
        raise subprocess.CalledProcessError(result.returncode, command, result.stdout)
    return result.stdout.decode() if capture_output else None


class EnvironmentModifier:
    """What a task's environment keeps from the worker's, and what is set.

    Stored with the job at set-up: a worker of upstream reads these attributes, and this one reads upstream's.
    """

    def __init__(self, cleanup_env=True):
        self.cleanup_env = cleanup_env
        self.keep_vars = set()
        self.set_vars = {}
        self.set_vars_verbatim = {}

    def keep(self, names):
        self.keep_vars.update([names] if isinstance(names, str) else names)

    def set(self, values, value=None):
        """``set(name, value)`` or ``set({name: value})``; ``$VAR`` in the values is expanded."""
        for name, text in (values if isinstance(values, dict) else {values: value}).items():
            self.set_vars[name] = text
            self.set_vars_verbatim.pop(name, None)

    def set_verbatim(self, name, value):
        """Set a value in which ``$VAR`` stays."""
        self.set_vars_verbatim[name] = value
        self.set_vars.pop(name, None)

    def modify_environment(self):
        """Apply to ``os.environ``."""
        from string import Template

        original = dict(os.environ)
        if self.cleanup_env:
            for name in set(original) - self.keep_vars:
                del os.environ[name]
        for name, value in self.set_vars.items():
            os.environ[name] = Template(str(value)).safe_substitute(original)
        for name, value in self.set_vars_verbatim.items():
            os.environ[name] = str(value)


def finished_paths_missing(paths):
    """Those of ``paths`` whose file does not exist (the folder is listed first: network file systems cache)."""
    missing = []
    for path in paths:
        name = path.get_path()
        if not os.path.lexists(name):
            with contextlib.suppress(OSError):
                os.listdir(os.path.dirname(name))
            if not os.path.lexists(name):
                missing.append(path)
    return missing
