"""The command ``sis``."""

import contextlib
import logging
import os
import sys

from .base import interrupt
from .base.exit_status import EXIT_INTERRUPT, EXIT_USAGE
from .base.refusal import Refusal
from .base.words import printable
from .cli.command_line import parser

LOG_FORMAT = "[%(asctime)s] %(levelname)s: %(message)s"


def main(argv=None):
    """Entry point; exits with 0 only if what was asked for is done."""
    try:
        interrupt.show()
        status = run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        status = EXIT_INTERRUPT
    interrupt.hide()
    _flush()
    sys.exit(status)


def _flush():
    """Drop what cannot be written, as on a full disk. Python would try once more and end with its own status."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, ValueError):
        pass  # a task has replaced or closed it


class _PrintableFormatter(logging.Formatter):
    """Messages quote logs and names of files, which must not command the terminal."""

    def format(self, record):
        return printable(super().format(record))


def run(argv):
    args = parser(next(iter(argv), None)).parse_args(argv)
    with contextlib.suppress(AttributeError, OSError):  # it may be another stream, or its disk full
        sys.stdout.reconfigure(errors="backslashreplace")  # logs of jobs may have letters that its encoding lacks
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_PrintableFormatter(LOG_FORMAT))
    root = logging.getLogger()
    root.setLevel(args.log_level)
    for other in [other for other in root.handlers if type(other) is logging.StreamHandler]:
        root.removeHandler(other)  # that of a line which the settings have logged
    root.addHandler(handler)
    try:
        return args.func(args)
    except Refusal as e:
        logging.error("%s", e)
        return EXIT_USAGE


if __name__ == "__main__":
    main()
