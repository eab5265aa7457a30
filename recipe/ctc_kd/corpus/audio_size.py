"""Whether an audio file is whole: libsndfile takes what is there of a WAV, Ogg or SPHERE file for all of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import FileIO, RawIOBase
from math import prod
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from ctc_kd.corpus.problems import CorpusError

if TYPE_CHECKING:
    import numpy as np
    import soundfile

LARGEST_OGG_PAGE = 27 + 255 + 255 * 255
LAST_PAGE = 4
"""A flag in the header of an Ogg page (RFC 3533)."""

NEARLY = 1 << 16
"""A program that streams a WAV cannot know its size and writes 0, or this much or less below 2**31 or 2**32."""

UNKNOWN_FRAMES = 2**63 - 1
"""What libsndfile reports of a FLAC file that was streamed."""

REMEDY = "copy the file again, or have ffmpeg write what there is"


class Samples(NamedTuple):
    """Where the samples of a file begin, and how many bytes of them its header promises and the file has."""

    begin: int
    promised: int
    found: int


def mended(path: str) -> bytes | RawIOBase:
    """What libsndfile should open: the path, from which it reads without Python's help, which would swallow errors.

    libsndfile takes a streamed WAV of size 0 for empty, so it is opened with the largest size instead.
    """
    with open(path, "rb") as file:
        samples = _samples_of_wav(file)
        if samples is None or samples.promised or not samples.found:
            return os.fsencode(path)
    return _OfUnknownSize(path, samples.begin)


class _OfUnknownSize(RawIOBase):
    """A WAV whose size of its samples, the 4 bytes before them, reads as the largest one."""

    def __init__(self, path: str, begin: int):
        self._file, self._begin = FileIO(path), begin

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer) -> int:
        first, number = self._file.tell(), self._file.readinto(buffer)
        for place in range(max(first, self._begin - 4), min(first + number, self._begin)):
            buffer[place - first : place - first + 1] = b"\xff"
        return number

    def close(self):
        self._file.close()
        super().close()


def open_audio(path: str) -> BinaryIO:
    """Opens what :func:`mended` makes of a file."""
    source = mended(path)
    return source if isinstance(source, RawIOBase) else open(source, "rb")


def blocks_of(
    audio: soundfile.SoundFile, size: int, *, dtype: str = "float32", number: int | None = None
) -> Iterator[np.ndarray]:
    """Samples ``[size, channels]``, at the end fewer. ``SoundFile.blocks`` repeats old ones where some are missing.

    :param audio: which is read from where it is, and cannot be sought in afterwards
    :param number: of samples to read; None for all
    :raises CorpusError: there are fewer, although the file counts them
    """
    due = audio.frames if number is None else number
    audio.seekable = lambda: False  # else each read ends by seeking to where it should have ended, which hides a hole
    while due:
        block = audio.read(min(size, due), dtype=dtype, always_2d=True)
        due -= len(block)
        if len(block) < size and due and _is_counted(audio):
            raise CorpusError(f"cut short or damaged: {due} samples are missing, which its header counts; {REMEDY}")
        if not len(block):
            return
        yield block


def _is_counted(audio: soundfile.SoundFile) -> bool:
    """Whether the number of samples is known. Of an MP3 without a Xing or VBRI header, libsndfile estimates it."""
    if not audio.subtype.startswith("MPEG_LAYER"):
        return audio.frames != UNKNOWN_FRAMES
    with open(audio.name, "rb") as file:
        head = file.read(10)
        size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        file.seek(10 + size if head.startswith(b"ID3") else 0)
        return re.search(b"Xing|Info|VBRI", file.read(64)) is not None


def cut_short(file: BinaryIO) -> str | None:
    """What libsndfile would not read of a WAV, Ogg or SPHERE file; None if nothing, or if its length is unknown."""
    file.seek(0)
    kind = file.read(4)
    if kind == b"OggS":
        return _fault_of_ogg(file)
    samples = _samples_of_sphere(file) if kind == b"NIST" else _samples_of_wav(file)
    if samples is None or -samples.promised % 2**31 <= NEARLY or samples.promised <= samples.found:
        return None
    return f"cut short: {samples.found} bytes of samples, but its header promises {samples.promised}; {REMEDY}"


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
            end = file.seek(0, os.SEEK_END)
            if not size and int.from_bytes(magic[4:8], byte_order) == end - 8:
                return Samples(begin, 0, 0)  # what follows are other chunks, because the whole file's size is known
            return Samples(begin, size if long_size is None else long_size, end - begin)
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


def _fault_of_ogg(file: BinaryIO) -> str | None:
    file.seek(0)
    first = file.read(18)
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LARGEST_OGG_PAGE))
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS\0")) :]
    header_size = 27 + page[26] if len(page) > 26 else LARGEST_OGG_PAGE
    if len(page) < header_size + sum(page[27:header_size]) or not page[5] & LAST_PAGE:
        return f"cut short: its last page is not complete, or not marked as the last; {REMEDY}"
    if page[14:18] != first[14:]:  # the number of a stream
        return "several streams, and only the first would be read; write them to one, for example with ffmpeg"
    return None
