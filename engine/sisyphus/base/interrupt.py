"""Ctrl-C at the command ``sis``: while its modules are loaded, and when it has ended, it stops without a traceback.

What Python does before it loads this module (it starts, it finds the package) is out of reach.
"""

import _signal  # `signal` takes a moment to load, in which Ctrl-C would still raise
import os
import sys


def hide():
    """From now on Ctrl-C ends this process at once, if it is the command ``sis`` and does not ignore Ctrl-C."""
    if _is_command() and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def show():
    """From now on Ctrl-C raises KeyboardInterrupt again."""
    if _signal.getsignal(_signal.SIGINT) == _signal.SIG_DFL:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def _is_command():
    if sys.argv[:1] == ["-m"]:  # `python -m sisyphus` loads the package before it says so
        return "sisyphus" in sys.orig_argv
    return os.path.basename(next(iter(sys.argv), "")) in ("sis", "sisyphus", "__main__.py")


hide()  # when the package is loaded, which takes a moment
