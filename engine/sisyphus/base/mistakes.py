"""Common mistakes in building a graph. Each is reported once for each place, with its line."""

import logging
import sys

from .. import global_settings as gs
from .role import loading_config
from .words import inside_setup

_ENGINE = __package__.partition(".")[0]
_BETWEEN = (_ENGINE + ".", "importlib", "asyncio")  # modules that only pass on the calls of configs
_LOADER, _PASSES_ON, _OUTSIDE = "loader", "passes on", "outside"
_kinds = {}  # code object -> one of these; all jobs of a graph are made by few functions
_told = set()


def call_places(depth=60):
    """``(file, line)`` of the nearest call outside the engine, and of the outermost one (the config)."""
    frame, nearest, outermost = sys._getframe(1), None, None
    while frame is not None and depth:
        kind = _kinds.get(frame.f_code) or _kind(frame)
        if kind is _LOADER and nearest:
            return [_place(f) for f in dict.fromkeys((nearest, outermost))]
        if kind is _OUTSIDE:
            nearest, outermost = nearest or frame, frame
        frame, depth = frame.f_back, depth - 1
    return [_place(nearest)] if nearest else []


def _kind(frame):
    name = frame.f_globals.get("__name__", "")
    kind = _LOADER if name == _ENGINE + ".loader" else _PASSES_ON if name.startswith(_BETWEEN) else _OUTSIDE
    _kinds[frame.f_code] = kind
    return kind


def _place(frame):
    return frame.f_code.co_filename, frame.f_lineno


def places_as_text(places):
    """``recipe/a.py:7, from config/b.py:12``"""
    return ", from ".join(f"{inside_setup(file)}:{line}" for file, line in places)


def warn_of_jobs(job, arguments):
    """Warn of a job that is an argument of another job: all its paths become inputs, which is hardly ever meant."""
    for name, value in arguments.items():
        values = value if type(value) in (list, tuple, set) else value.values() if type(value) is dict else (value,)
        for found in values:
            if type(type(found)) is type(type(job)):  # the metaclass of jobs
                ids = set(map(id, found._sis_outputs.values()))
                outputs = (
                    ", ".join(sorted(key for key, value in vars(found).items() if id(value) in ids)) or "it has none"
                )
                _warn(
                    f"{type(job).__name__} gets the job {found._sis_id()} as its argument {name}, and would wait for "
                    f"all of its outputs and inputs: pass the output that it needs ({outputs})",
                    job._sis_call_places,
                )


def warn_of_unset(variable):
    """Warn of a variable that a config reads before its job has set it: the graph would depend on when it is read."""
    if loading_config():
        _warn(
            f"the variable {variable.rel_path()} is read before its job has set it, which gives {variable.backup!r}: "
            "pass the variable itself, compute with it (x + 1, x.function(f), tk.Delayed('{}').format(x)), or await "
            "tk.async_run(x) in an async config",
            call_places(),
        )


def warn_of_settings():
    """Warn of a name that looks like a misspelt setting and so has no effect."""
    import difflib

    known = sorted(name for name in gs.default_names if name.isupper())
    for name in sorted(vars(gs).keys() - gs.default_names):
        close = difflib.get_close_matches(name, known, 1, cutoff=0.85) if name.isupper() and name[0] != "_" else ()
        if close:
            logging.warning("the settings have %s, which is none of the engine's: do you mean %s?", name, close[0])


def _warn(text, places):
    if (text, tuple(places)) not in _told:
        _told.add((text, tuple(places)))
        logging.warning("%s: %s", places_as_text(places), text)
