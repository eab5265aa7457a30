"""The command ``sis``."""

import logging
import sys

from .base.exit_status import EXIT_USAGE
from .base.refusal import Refusal
from .cli.command_line import parser

LOG_FORMAT = "[%(asctime)s] %(levelname)s: %(message)s"


def main(argv=None):
    """Entry point; exits with 0 only if what was asked for is done."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    args = parser(next(iter(argv), None)).parse_args(argv)
    logging.basicConfig(format=LOG_FORMAT, level=args.log_level, stream=sys.stdout)
    try:
        return args.func(args)
    except Refusal as e:
        logging.error("%s", e)
        return EXIT_USAGE


if __name__ == "__main__":
    main()
