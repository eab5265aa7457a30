"""Text files that are complete or absent."""

from __future__ import annotations

import os
from collections.abc import Iterable


def write_lines(path: str, lines: Iterable[str]):
    """Write the lines beside ``path``, then give the file its name."""
    partial = f"{os.fspath(path)}.partial"
    with open(partial, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    os.replace(partial, path)
