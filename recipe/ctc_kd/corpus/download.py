"""Downloads one public file from the first mirror that has it, and checks it; the file is complete or absent."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import time
from collections.abc import Sequence
from typing import Any

from sisyphus import Task

from ctc_kd.corpus.progress import ProgressJob
from ctc_kd.corpus.transfer import CHUNK_BYTES, TransferError, discard, fetch, origin_file, size_of

ATTEMPTS = 3  # in a row without a new byte
BACK_OFF_S = 5.0
_CHECKSUM = re.compile(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}")


class DownloadError(RuntimeError):
    """No mirror has the file, or the file that was put there by hand is a different one."""


class DownloadJob(ProgressJob):
    """Downloads the file ``name``. Its checksum identifies it, so the other parameters are not part of the job's id.

    A killed download resumes where it was, even after its job was cleared. A file (or a link to one) of this name in
    the job's work folder is checked and used. Behind a proxy, ``settings.py`` has to keep the proxy's variables, as in
    ``DEFAULT_ENVIRONMENT_KEEP |= {"https_proxy", "no_proxy"}``.

    :param urls: tried in this order
    :param checksum: ``md5:<hexadecimal>`` or ``sha256:<hexadecimal>``
    :param num_bytes: its size, None if unknown; another size is refused before the transfer
    :param setting: the line of ``settings.py`` that would name a copy on disk, for the error message
    :raises ValueError: the checksum is not of this form
    """

    def __init__(
        self, *, name: str, urls: Sequence[str], checksum: str, num_bytes: int | None = None, setting: str = ""
    ):
        if not _CHECKSUM.fullmatch(checksum):
            raise ValueError(
                f"{name}: checksum {checksum!r}, expected md5: or sha256: and as many hexadecimal digits, lower case"
            )
        self.name = name
        self.urls = urls
        self.checksum = checksum
        self.num_bytes = num_bytes
        self.setting = setting
        self.out_file = self.output_path(name)
        self.rqmt = {"cpu": 1, "mem": 2, "time": 24}

    @classmethod
    def hash(cls, parsed_args: dict[str, Any]) -> str:
        return super().hash({name: parsed_args[name] for name in ("name", "checksum")})

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        if os.path.exists(self.out_file.get_path()):  # killed after its last step
            return
        partial = f"{self.name}.partial"
        adopt_cleared(self.name, partial, origin_file(partial))
        if os.path.exists(self.name):
            fault = self.fault_of(self.name)
            if fault:
                raise DownloadError(f"{os.path.abspath(self.name)}: {fault}; replace or remove it, then run again")
            place(self.name, self.out_file.get_path())
        else:
            self.download(partial)
            place(partial, self.out_file.get_path())
            discard(partial)  # removes the record of its origin

    def download(self, partial: str):
        problems = []
        for url in self.urls:
            problem = self.try_mirror(url, partial)
            if problem is None:
                print(f"{self.name}: {size_of(partial):,} bytes from {url}, {self.checksum} as expected")
                return
            problems.append(f"  {url}: {problem}")
            print(f"{url}: {problem}", flush=True)
        size = f", {self.num_bytes:,} bytes" if self.num_bytes else ""
        remedy = f"Put the file {self.name} ({self.checksum}{size}) into {os.getcwd()} and run the job again"
        if self.setting:
            remedy += f", or name a copy in settings.py: {self.setting}"
        raise DownloadError("\n".join([f"{self.name}: no mirror provided the file", *problems, remedy]))

    def try_mirror(self, url: str, partial: str) -> str | None:
        """Fetches the whole file from one address, in several tries; returns what was wrong, None if nothing was."""
        in_vain, farthest = 0, size_of(partial)
        while True:
            resumed = size_of(partial) > 0
            try:
                fetch(url, partial, num_bytes=self.num_bytes)
            except TransferError as error:
                problem, again = str(error), error.again
            else:
                problem = self.fault_of(partial)
                if problem is None:
                    return None
                discard(partial)
                again = resumed  # the fault may be in the bytes of an earlier try
            in_vain = 0 if size_of(partial) > farthest else in_vain + 1
            farthest = max(farthest, size_of(partial))
            if not again or in_vain == ATTEMPTS:
                return problem
            pause_s = BACK_OFF_S * 2**in_vain
            print(f"{url}: {problem}; next try in {pause_s:.0f} s", flush=True)
            time.sleep(pause_s)

    def fault_of(self, path: str) -> str | None:
        """How a file differs from the expected one; None if it does not."""
        if self.num_bytes is not None and size_of(path) != self.num_bytes:
            return f"has {size_of(path):,} bytes, expected {self.num_bytes:,}"
        algorithm, expected = self.checksum.split(":")
        digest = hashlib.new(algorithm, usedforsecurity=False)
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        found = digest.hexdigest()
        return None if found == expected else f"its {algorithm} is {found}, expected {expected}"


def place(path: str, destination: str):
    if os.path.islink(path):  # its target may be relative
        os.symlink(os.path.realpath(path), destination)
    else:
        os.replace(path, destination)


def adopt_cleared(*names: str):
    """Moves the files of an earlier run into this work folder. Clearing a job renames its folder to ``.cleared.*``."""
    folders = glob.glob(f"{glob.escape(os.path.dirname(os.getcwd()))}.cleared.*/work")
    for folder in [".", *sorted(folders, reverse=True)]:
        found = [name for name in names if os.path.lexists(os.path.join(folder, name))]
        if found:
            for name in found:
                os.replace(os.path.join(folder, name), name)
            return
