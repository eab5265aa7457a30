"""Ctrl-C at the command ``sis``: while its modules are loaded, and when it has ended, it stops without a traceback."""

import os
import signal
import sys


def hide():
    """From now on Ctrl-C ends this process at once, if it is the command ``sis`` and does not ignore Ctrl-C."""
    if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def show():
    """From now on Ctrl-C raises KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_command():
    if sys.argv[:1] == ["-m"]:  # `python -m sisyphus` loads the package before it says so
        return "sisyphus" in sys.orig_argv
    return os.path.basename(next(iter(sys.argv), "")) in ("sis", "sisyphus", "__main__.py")


hide()  # when the package is loaded, which takes a moment
