"""The errors that end a command of ``sis`` with their text and exit status 2, without a traceback."""


class Refusal(Exception):
    """What was asked for cannot be done now, or not at all; the text says why."""
