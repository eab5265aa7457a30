"""Texts for people: ends of files, names, sizes and times."""

import os
import re

from .. import global_settings as gs

_COLOUR = re.compile(r"\x1b\[[\d;:]*m")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and ends of lines
_ENGINE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def tail(filename, lines, max_bytes=200_000):
    """The last ``lines`` lines of a text file, without reading more than ``max_bytes``."""
    try:
        with open(filename, "rb") as f:
            f.seek(max(0, os.fstat(f.fileno()).st_size - max_bytes))
            return last_lines(f.read(), lines)
    except OSError:
        return []


def last_lines(content, lines):
    """The last ``lines`` lines, which may be none, of the bytes of a text."""
    found = content.decode("utf-8", "replace").splitlines()
    return found[max(0, len(found) - lines) :]


def printable(text):
    """``text`` for a terminal or page: colours are left out, other control characters and what UTF-8 lacks are spelled.

    Logs, names of files and texts of recipes may hold any bytes, also those that command a terminal.
    """
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", _COLOUR.sub("", text))
    return text.encode("utf-8", "backslashreplace").decode()


def inside_setup(filename):
    """``filename`` relative to the setup folder if it lies inside."""
    return filename.removeprefix(gs.BASE_DIR + "/")


def is_of_the_engine(filename):
    """Whether a file of code is the engine's own."""
    return filename.startswith(_ENGINE_FOLDER)


def in_bytes(size):
    """``17 B``, ``1.5 KB``, ``2.0 GB``: powers of 1024."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def duration(seconds):
    """``5.3 s``, ``12:05`` (minutes) or ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def value_as_text(value):
    """``str(value)``, also of a delayed value that is not set and may raise anything."""
    try:
        return str(value)
    except Exception as e:
        return f"(not known yet: {type(e).__name__})"


def usage_as_text(usage):
    """Time, memory and CPU of a task id against what it asked for, and its host."""
    asked, most = usage.get("requested_resources", {}), usage.get("max", {})
    parts = [
        duration(3600 * usage.get("used_time", 0))
        + (f" of {duration(3600 * asked['time'])}" if "time" in asked else ""),
        f"{most.get('rss', 0):.2f}" + (f" of {asked['mem']:g}" if "mem" in asked else "") + " GB",
        f"{most.get('cpu', 0):.0f} % CPU" + (f" of {asked['cpu']} cores" if "cpu" in asked else ""),
    ]
    parts += ["out of memory"] * bool(usage.get("out_of_memory"))
    return ", ".join(parts) + f", on {usage.get('host', 'an unknown host')}"
