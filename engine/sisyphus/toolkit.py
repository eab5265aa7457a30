"""``tk``: what configs and the console use."""

import os

from . import global_settings as gs
from . import graph
from .base.role import running_in_manager, running_in_worker  # noqa: F401
from .block import Block, block, set_root_block, sub_block  # noqa: F401
from .delayed_ops import Delayed, DelayedBase  # noqa: F401
from .engine import cached_engine  # noqa: F401
from .job import Job  # noqa: F401
from .job_path import AbstractPath, NoBackup, Path, Variable, VariableNotSet  # noqa: F401
from .loader import config_manager  # noqa: F401
from .run.console import (  # noqa: F401
    Object,
    compare_graph,
    dump,
    export_graph,
    find_job,
    find_path,
    import_work_directory,
    job_info,
    load_file,
    load_job,
    mktemp,
    print_graph,
    reload_module,
    reload_recipes,
    remove_job_and_descendants,
    setup_job_directory,
    start_manager,
    submit_next_task,
    zipped,
)
from .run.script_mode import BlockedWorkflow, run, run_job, setup_script_mode  # noqa: F401
from .task import Task  # noqa: F401
from .tools import execute_in_dir, extract_paths, sh, try_get  # noqa: F401

sis_graph = graph.graph


_ASYNC = ("async_context", "async_gather", "async_run")


def __getattr__(name):
    """Loads ``tk.cleaner`` and the functions for async configs when they are used: workers start faster without."""
    if name == "cleaner":
        from . import cleaner

        return cleaner
    if name in _ASYNC:
        from . import async_workflow

        return getattr(async_workflow, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*globals(), "cleaner", *_ASYNC]


# targets -----------------------------------------------------------------------------------------------------------
def register_output(name, value, export_graph=False):  # noqa: F811  both names are upstream's
    """Ask for ``value`` (a path or variable); when it is available ``output/<name>`` links to it.

    ``export_graph``: also pickle ``value`` into ``output/.<name>.sis`` now, for `load_file`.
    """
    if not isinstance(value, AbstractPath):
        hint = " (use tk.Path, not pathlib)" if isinstance(value, os.PathLike) else ""
        raise TypeError(f"register_output({name!r}) needs a tk.Path or tk.Variable, got {type(value)}{hint}")
    sis_graph.add_target(graph.OutputPath(name, value))
    if export_graph:
        dump(value, os.path.join(gs.BASE_DIR, gs.OUTPUT_DIR, gs.ALIAS_AND_OUTPUT_SUBDIR, f".{name}.sis"))


def register_callback(f, *args, **kwargs):
    """Call ``f`` once when all paths in the arguments are available."""
    sis_graph.add_target(graph.OutputCall(getattr(f, "__name__", "callback"), f, args, kwargs))


def register_report(name, values, template=None, required=None, update_frequency=300):
    """Write ``output/<name>`` from ``values`` at start, every ``update_frequency`` seconds and at the end.

    The end of a report with paths is when all are available. Before the end, one that cannot be written is no error.
    Returns the `graph.OutputReport`. ``ALIAS_AND_OUTPUT_SUBDIR`` stands right before the name, as upstream has it:
    ``"sub"`` gives ``output/sub<name>``, ``"sub/"`` a file in that folder.
    """
    report = graph.OutputReport(gs.ALIAS_AND_OUTPUT_SUBDIR + name, values, template, required, update_frequency)
    sis_graph.add_target(report)
    return report


# paths ---------------------------------------------------------------------------------------------------------------
class RelPath:
    """Makes paths relative to ``origin``; their hash depends on the package name, not on where it lies."""

    def __init__(self, origin, hash_overwrite=None):
        self.origin = origin
        self.hash_overwrite = hash_overwrite

    def __call__(self, path, *args, **kwargs):
        if self.hash_overwrite and "hash_overwrite" not in kwargs and len(args) < 3:
            kwargs["hash_overwrite"] = os.path.join(self.hash_overwrite, path)
        if not os.path.isabs(path):
            path = os.path.relpath(os.path.join(self.origin, path), gs.BASE_DIR)
        return Path(path, *args, **kwargs)


def setup_path(package):
    """``rel = setup_path(__package__)``: ``rel("data.txt")`` is the file beside the calling module."""
    import importlib

    assert package, "setup_path needs __package__: the module must be imported as part of a package"
    module = importlib.import_module(package)
    origin = os.path.dirname(module.__file__) if module.__file__ else next(iter(module.__path__))
    return RelPath(origin, package.replace(".", "/"))


def input_path(path):
    return path if isinstance(path, AbstractPath) else Path(path)


def uncached_path(path):
    """The file name of a `Path`, the text of anything else: of a variable its value."""
    return path.get_path() if is_path(path) else str(path)


def is_path(obj):
    return isinstance(obj, Path)


def bundle_to_str(paths):
    """The paths joined with spaces, as a command needs them; a set is sorted first."""
    return " ".join(map(str, sorted(paths) if isinstance(paths, set) else paths))
