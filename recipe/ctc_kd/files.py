"""Writes files and folders that are complete or absent (made beside their place, then renamed), and reads texts."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO


@contextmanager
def complete_file(path: str) -> Iterator[str]:
    """Yields a name beside ``path`` to write to, which becomes ``path`` if the block ends without an error."""
    partial = f"{os.fspath(path)}.partial"
    yield partial
    os.replace(partial, path)


@contextmanager
def complete_folder(path: str) -> Iterator[str]:
    """Yields an empty folder beside ``path``, which takes its place if the block ends without an error."""
    partial = f"{os.fspath(path)}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    os.mkdir(partial)
    yield partial
    shutil.rmtree(path, ignore_errors=True)
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


def open_unpacked(path: str) -> BinaryIO:
    """Opens a file for reading; one that is packed with gzip, whatever its name, is unpacked on the way."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else open(path, "rb")


def text_lines(path: str) -> Iterator[str]:
    """The lines of a UTF-8 text, packed or not, without the byte order marks that some programs write.

    Every text that people may have written by hand is read here.

    :raises ValueError: a line is not UTF-8 text, or the packed file is damaged
    """
    number = 0
    with open_unpacked(path) as file:
        try:
            for number, line in enumerate(io.TextIOWrapper(file, "utf-8", "surrogateescape"), 1):
                if fault := _fault_of(line):
                    raise ValueError(
                        f"{path}:{number}: {fault}, expected UTF-8 text; convert the file, for example with iconv"
                    )
                yield line.removeprefix("\ufeff")  # in the middle, too, where files were joined
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: damaged after line {number} ({error}); expected a complete .gz") from error


def _fault_of(line: str) -> str | None:
    """What is no text in a line that was read with ``surrogateescape``."""
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError as error:
            return f"the byte 0x{ord(line[error.start]) - 0xDC00:02x}"
    return "a zero byte, as in UTF-16" if "\0" in line else None
