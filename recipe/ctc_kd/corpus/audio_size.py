"""Whether an audio file was cut short: libsndfile takes what is there of a WAV, Ogg or SPHERE file for the whole."""

from __future__ import annotations

import os
import re
from io import BytesIO
from math import prod
from typing import BinaryIO, NamedTuple

LARGEST_OGG_PAGE = 27 + 255 + 255 * 255
LAST_PAGE = 4
"""A flag in the header of an Ogg page (RFC 3533)."""

NEARLY = 1 << 16
"""A program that streams a WAV cannot know its size and writes 0, or this much or less below 2**31 or 2**32."""


class Samples(NamedTuple):
    """Where the samples of a file begin, and how many bytes of them its header promises and the file has."""

    begin: int
    promised: int
    found: int


def open_audio(path: str) -> BinaryIO:
    """Opens a file for libsndfile. Of a streamed WAV of size 0, which libsndfile takes for empty, a mended copy."""
    with open(path, "rb") as file:
        samples = _samples_of_wav(file)
        if samples is not None and samples.found and not samples.promised:
            file.seek(0)
            content = bytearray(file.read())
            content[samples.begin - 4 : samples.begin] = b"\xff" * 4
            return BytesIO(content)
    return open(path, "rb")


def cut_short(file: BinaryIO) -> str | None:
    """What a WAV, Ogg or SPHERE file lacks; None if nothing, or if it does not say how long it is."""
    file.seek(0)
    kind = file.read(4)
    if kind == b"OggS":
        return None if _has_last_page(file) else "cut short: its last page is not complete, or not marked as the last"
    samples = _samples_of_sphere(file) if kind == b"NIST" else _samples_of_wav(file)
    if samples is None or -samples.promised % 2**31 <= NEARLY or samples.promised <= samples.found:
        return None
    return f"cut short: {samples.found} bytes of samples, but its header promises {samples.promised}"


def _samples_of_wav(file: BinaryIO) -> Samples | None:
    """None if the file is no WAV, or has no samples."""
    file.seek(0)
    magic = file.read(12)
    if magic[:4] not in (b"RIFF", b"RIFX", b"RF64") or magic[8:] != b"WAVE":
        return None
    byte_order = "big" if magic.startswith(b"RIFX") else "little"
    long_size = None
    while len(head := file.read(8)) == 8:
        begin, size = file.tell(), int.from_bytes(head[4:], byte_order)
        if head.startswith(b"data"):
            return Samples(begin, size if long_size is None else long_size, file.seek(0, os.SEEK_END) - begin)
        if head.startswith(b"ds64"):  # 64 bits each: the size of the file, and of the samples
            long_size = int.from_bytes(file.read(16)[8:], byte_order)
        file.seek(begin + size + size % 2)
    return None


def _samples_of_sphere(file: BinaryIO) -> Samples | None:
    """None if the header does not say how many samples there are."""
    file.seek(0)
    header = file.read(1024)
    fields = dict(re.findall(rb"^(\w+) -i (\d+)", header, re.MULTILINE))
    try:
        promised = prod(int(fields[name]) for name in (b"sample_count", b"sample_n_bytes", b"channel_count"))
        begin = int(header.split()[1])
    except (KeyError, ValueError):
        return None
    return Samples(begin, promised, file.seek(0, os.SEEK_END) - begin)


def _has_last_page(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LARGEST_OGG_PAGE))
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS\0")) :]
    header_size = 27 + page[26] if len(page) > 26 else LARGEST_OGG_PAGE
    return len(page) >= header_size + sum(page[27:header_size]) and bool(page[5] & LAST_PAGE)
