"""The files of a job by name, in its folder or in the archive of a packed job; nothing outside is ever opened."""

import codecs
import contextlib
import functools
import os
import tarfile
import zlib
from stat import S_ISREG
from typing import NamedTuple

from .. import global_constants as gc
from ..base.words import last_lines, printable

TAIL_BYTES = 200_000
ENTRIES = 100  # files of an output folder that are listed


class Entry(NamedTuple):
    size: int  # bytes
    modified: float  # unix time
    packed: bool


class JobFolder:
    """The job folder ``path``.

    ``entries``: name -> `Entry` of the job's own plain files, in ``engine/`` too; no inputs, outputs or work.
    """

    def __init__(self, path):
        self.path = path
        self.entries = {}
        archive = os.path.join(self.path, gc.JOB_FINISHED_ARCHIVE)
        with contextlib.suppress(OSError, EOFError, zlib.error, tarfile.TarError):  # upstream may have been killed
            self.entries = dict(_archived(archive, os.stat(archive).st_mtime_ns))
        for sub in ("", gc.JOB_LOG_ENGINE + "/"):
            self.entries.update(_files(os.path.join(self.path, sub), sub))

    @contextlib.contextmanager
    def open(self, name):
        """Opens a binary file. Raises `FileNotFoundError` for names that are not in `entries`."""
        if name not in self.entries:
            raise FileNotFoundError(name)
        if not self.entries[name].packed:
            with open(os.path.join(self.path, name), "rb", opener=_no_links) as f:
                yield f
            return
        with tarfile.open(os.path.join(self.path, gc.JOB_FINISHED_ARCHIVE)) as tar:
            try:
                yield tar.extractfile(name)
            except KeyError:
                raise FileNotFoundError(name) from None

    def text(self, name):
        """Content of a small file, empty if there is none."""
        try:
            with self.open(name) as f:
                return f.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def texts(self, names):
        """Yields ``(name, content)`` of small files that are there, and reads the archive of a packed job once."""
        wanted = {name for name in names if name in self.entries}
        packed = {name for name in wanted if self.entries[name].packed}
        for name in wanted - packed:
            yield name, self.text(name)
        with contextlib.ExitStack() as stack:
            if packed:
                tar = stack.enter_context(tarfile.open(os.path.join(self.path, gc.JOB_FINISHED_ARCHIVE)))
                for member in tar:
                    if member.name in packed:
                        yield member.name, tar.extractfile(member).read().decode("utf-8", "replace")

    def tail(self, name, lines):
        with self.open(name) as f:
            f.seek(max(0, self.entries[name].size - TAIL_BYTES))
            return last_lines(f.read(2 * TAIL_BYTES), lines)


def _no_links(path, flags):
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _files(folder, prefix):
    """Yields ``(name, Entry)`` for the plain files in a folder, without the second name of a log in ``engine/``."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # it has just been packed
                stat = entry.stat(follow_symlinks=False)
                if S_ISREG(stat.st_mode) and not (prefix and stat.st_nlink > 1):
                    yield prefix + entry.name, Entry(stat.st_size, stat.st_mtime, False)


@functools.lru_cache(maxsize=200)
def _archived(archive, _mtime_ns):
    """``(name, Entry)`` for the files in an archive, which never changes once it exists."""
    with tarfile.open(archive) as tar:
        members = {m.name: m for m in tar}
    second = {m.name: members[m.linkname] for m in members.values() if m.islnk() and m.linkname in members}
    twice = {m.name for m in second.values() if "/" in m.name}
    files = {name: m for name, m in members.items() if m.isfile() and name not in twice}
    return [(name, Entry(m.size, m.mtime, True)) for name, m in {**files, **second}.items()]


# outputs -----------------------------------------------------------------------------------------------------------
def outputs(job):
    """Declared outputs and the files in output folders: name -> ``(absolute name, size or None, note)``.

    An output without a size does not exist or cannot be shown; the note says which.
    """
    found = {}
    root = os.path.realpath(job._sis_path(abspath=True)) + os.sep
    for path in sorted(job._sis_outputs.values()):
        name = job._sis_output_name(path)
        full = job._sis_path(gc.JOB_OUTPUT, name, abspath=True)
        if os.path.isdir(full) and _inside(full, root):
            found.update(_listed(name, full, root))
        else:
            found[name] = _output(full, root)
    return {printable(name): output for name, output in found.items()}


def _inside(full, root):
    return (os.path.realpath(full) + os.sep).startswith(root)


def _output(full, root):
    if not os.path.lexists(full):
        return full, None, "not there"
    if not _inside(full, root):
        return full, None, f"link to {os.path.realpath(full)}"
    if not os.path.isfile(full):
        return full, None, "not a file"
    return full, os.path.getsize(full), ""


def _listed(name, folder, root):
    found = {}
    note = "folder"
    for base, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            if len(found) == ENTRIES:
                note = f"folder, its first {ENTRIES} files are listed"
                folders.clear()
                break
            full = os.path.join(base, file)
            found[os.path.normpath(f"{name}/{os.path.relpath(full, folder)}")] = _output(full, root)
    return {f"{name}/": (folder, None, note), **found}


def open_output(job, name):
    """Opens a binary file. Raises `FileNotFoundError` for names to which `outputs` gives no size."""
    full, size, _ = outputs(job).get(name, (None, None, ""))
    if size is None:
        raise FileNotFoundError(name)
    return open(os.path.realpath(full), "rb", opener=_no_links)


def first_bytes(full, count=2000):
    with contextlib.suppress(OSError), open(os.path.realpath(full), "rb", opener=_no_links) as f:
        return f.read(count)
    return b""


def is_text(head):
    """Whether the first bytes of a file look like UTF-8 text."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut in two
    except UnicodeDecodeError:
        return False
    return b"\0" not in head
