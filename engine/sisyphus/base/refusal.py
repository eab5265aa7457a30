"""The errors that end a command of ``sis`` with their text and exit status 2, without a traceback."""


class Refusal(Exception):
    """What was asked for cannot be done now, or not at all; the text says why."""


class ConfigError(Refusal):
    """A config cannot be loaded (no such module or function, or wrong text), or the settings cannot be used."""


class JobError(Refusal):
    """A job cannot be determined, or must not be touched now."""
