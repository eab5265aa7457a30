"""Unpacks one folder of a corpus archive, completely or not at all, and writes nothing outside of that folder."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from sisyphus import Task, tk

from ctc_kd.corpus.problems import CorpusError, refuse
from ctc_kd.corpus.progress import Progress, ProgressJob
from ctc_kd.corpus.transfer import check_room

BLOCK_BYTES = tarfile.BLOCKSIZE
READ_BYTES = 1 << 20
UNPACKED = "unpacked"


class UnpackJob(ProgressJob):
    """Unpacks the top folder ``folder`` of a ``.tar`` or ``.tar.gz`` archive, and leaves out other top folders.

    The job refuses members that are links or devices, or whose names are absolute or contain ``..``, and archives that
    are cut off, damaged, or lack the folder.

    :param folder: such as ``LibriSpeech``
    """

    def __init__(self, *, archive: tk.Path, folder: str):
        self.archive = archive
        self.folder = folder
        self.out_dir = self.output_path(folder)
        self.rqmt = {"cpu": 1, "mem": 2, "time": 24}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        if os.path.exists(self.out_dir.get_path()):  # killed after its last step
            return
        shutil.rmtree(UNPACKED, ignore_errors=True)
        try:
            unpack(self.archive.get_path(), self.folder, into=UNPACKED)
            os.replace(os.path.join(UNPACKED, self.folder), self.out_dir.get_path())
        finally:
            shutil.rmtree(UNPACKED, ignore_errors=True)


def unpack(archive: str, folder: str, *, into: str):
    """:raises CorpusError: the archive or one of its members is refused"""
    check_room(os.path.getsize(archive))  # unpacked audio is no smaller
    progress = Progress(os.path.basename(archive), total=os.path.getsize(archive))
    num_files, num_bytes, others = 0, 0, set()
    with open(archive, "rb") as raw, members(archive, raw) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2 of Debian 12 has none
        for member in tar:
            top = top_folder(member, archive)
            if top == folder:
                tar.extract(member, into)
                num_files += member.isfile()
                num_bytes += member.size
            else:
                others.add(top)
            progress.update(raw.tell())
    if not num_files:
        refuse(
            [f"no files in a folder {folder}; its top folders are {', '.join(sorted(others)) or 'none'}"],
            where=archive,
            remedy="Is it the archive of another corpus?",
        )
    left_out = f"; left out: {', '.join(sorted(others))}" if others else ""
    print(f"{archive}: {num_files:,} files, {num_bytes / 1e9:.2f} GB in {folder}{left_out}")


def top_folder(member: tarfile.TarInfo, archive: str) -> str:
    """The first folder of a member's name.

    :raises CorpusError: the member could write outside of the folder, or is neither a file nor a folder
    """
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if member.name.startswith("/"):
        fault = "an absolute name"
    elif ".." in parts:
        fault = "a name with '..'"
    elif member.issym() or member.islnk():
        fault = f"a link to {member.linkname!r}"
    elif not (member.isfile() or member.isdir()):
        fault = "neither a file nor a folder"
    else:
        return parts[0] if parts else "."
    raise CorpusError(f"{archive}: the member {member.name!r} is {fault}, which no corpus has; is the archive genuine?")


@contextmanager
def members(archive: str, raw: BinaryIO) -> Iterator[tarfile.TarFile]:
    """Opens an archive as a stream, which must be read to its end within the block.

    :raises CorpusError: the archive is cut off or damaged, or the file is no archive
    """
    magic = raw.read(2)
    raw.seek(0)
    stream = WatchedStream(gzip.GzipFile(fileobj=raw) if magic == b"\x1f\x8b" else raw)
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=READ_BYTES) as tar:
            yield tar
            while stream.read(READ_BYTES):  # gzip's checksum is at the end
                pass
        # tarfile takes any header that it cannot read, and the end of the file, for the end of the archive
        if stream.size < tar.offset + BLOCK_BYTES or stream.last_nonzero > tar.offset:
            raise tarfile.ReadError(f"no end mark after {tar.offset:,} bytes of contents")
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise CorpusError(
            f"{archive}: cut off, damaged, or not a .tar or .tar.gz archive ({error}); "
            "remove the job that made it, or the file, and fetch it again"
        ) from error


class WatchedStream:
    """Reads a file and records its size and the end of its last nonzero byte."""

    def __init__(self, file: BinaryIO):
        self.file, self.size, self.last_nonzero = file, 0, 0

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        length = len(data.rstrip(b"\0"))
        if length:
            self.last_nonzero = self.size + length
        self.size += len(data)
        return data
