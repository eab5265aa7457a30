"""Files that are complete or absent."""

import contextlib
import os


def write_atomically(filename, content, mode="w"):
    """Write beside ``filename`` and rename, so that no reader sees half a file."""
    folder, name = os.path.split(filename)
    part = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
    try:
        with open(part, mode.replace("w", "x")) as f:
            f.write(content)
        os.replace(part, filename)
    except BaseException:  # a full disk should not be filled further
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def write_if_changed(filename, text):
    """`write_atomically`, unless the file has this text: then it may lie on a read-only file system."""
    with contextlib.suppress(OSError, ValueError), open(filename) as f:
        if f.read() == text:
            return
    write_atomically(filename, text)
