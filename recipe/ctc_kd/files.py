"""Writes files that are complete or absent (written beside their place, then renamed), and reads text files."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def complete_file(path: str) -> Iterator[str]:
    """Yields a name beside ``path`` to write to, which becomes ``path`` if the block ends without an error."""
    partial = f"{os.fspath(path)}.partial"
    yield partial
    os.replace(partial, path)


def write_text(path: str, text: str):
    with complete_file(path) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)


def write_lines(path: str, lines: Iterable[str]):
    with complete_file(path) as partial, open(partial, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def write_json(path: str, value: Any):
    write_text(path, json.dumps(value, indent=1))


def read_json(path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def text_lines(path: str) -> Iterator[str]:
    """The lines of a UTF-8 text, plain or ``.gz``, without the byte order mark that some programs write.

    :raises ValueError: the file is not UTF-8 text, or its ``.gz`` is damaged
    """
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8-sig") as file:
        try:
            yield from file
        except (EOFError, UnicodeDecodeError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: {error}; expected UTF-8 text, in a complete .gz if so named") from error
