"""Colours for log lines, on terminals only."""

import logging

_COLOURS = ((logging.ERROR, 31), (logging.WARNING, 33), (logging.INFO, 32), (logging.DEBUG, 35))  # red to magenta


def add_coloring_to_logging():
    """From now on the lines of every handler that writes to a terminal have the colour of their level."""
    logging.StreamHandler.format = _coloured


def _coloured(handler, record):
    text = logging.Handler.format(handler, record)
    if not getattr(handler.stream, "isatty", bool)():
        return text
    colour = next((colour for level, colour in _COLOURS if record.levelno >= level), 0)
    return f"\x1b[{colour}m{text}\x1b[0m"
