"""Paths of the public files that the experiments read: downloaded files, or local copies of them.

``settings.py`` may name files on disk, which are then read in place. No job's id depends on that::

    CORPUS_DIRS = {"librispeech": "/data/LibriSpeech", "tedlium2": "/data/TEDLIUM_release2"}
    RESOURCES = {"4-gram.arpa.gz": "/data/4-gram.arpa.gz", "dev-clean.tar.gz": "/data/dev-clean.tar.gz"}

It may also name other addresses, or another release of a file. Of these changes, only a new checksum makes new ids::

    PUBLIC_FILES = {"dev-clean.tar.gz": {"urls": ["https://mirror.example/dev-clean.tar.gz"]}}
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

from sisyphus import Job, gs, tk

from ctc_kd.corpus.download import DownloadJob
from ctc_kd.corpus.public_file_table import ARCHIVES, FOLDERS, TABLE, PublicFile
from ctc_kd.corpus.unpack import UnpackJob


def corpus_dir(corpus: str, part: str | None = None) -> tk.Path:
    """The folder that holds the parts of a corpus, either named in the settings or unpacked by a job.

    :param part: only for LibriSpeech and Mini LibriSpeech, which have one archive per part; an unpacked folder holds
        this part only
    :raises ValueError: there is no such corpus or part, or the settings are wrong
    """
    archives = ARCHIVES.get(corpus, {})
    if part not in archives:
        known = "; ".join(f"{name}: {', '.join(map(str, parts))}" for name, parts in ARCHIVES.items())
        raise ValueError(f"no archive for part {part} of the corpus {corpus!r}; expected one of {known}")
    folder = FOLDERS[corpus]
    job = UnpackJob(archive=resource(archives[part]), folder=folder)
    local = _setting("CORPUS_DIRS", ARCHIVES).get(corpus)
    if local is None:
        return job.out_dir
    return _local(local, f'CORPUS_DIRS["{corpus}"]', of=job, like=job.out_dir, part=part)


def resource(name: str) -> tk.Path:
    """A single file of the table, either named in the settings or downloaded by a job.

    :raises ValueError: there is no such file, or the settings are wrong
    """
    file = public_file(name)
    settings = [
        f'CORPUS_DIRS = {{"{corpus}": "/path/to/{FOLDERS[corpus]}"}}'
        for corpus, archives in ARCHIVES.items()
        if name in archives.values()
    ]
    job = DownloadJob(
        name=file.name,
        urls=file.urls,
        checksum=file.checksum,
        num_bytes=file.num_bytes,
        setting=" or ".join([f'RESOURCES = {{"{name}": "/path/to/{name}"}}', *settings]),
    )
    job.add_alias(f"download/{name}")
    local = _setting("RESOURCES", TABLE).get(name)
    return job.out_file if local is None else _local(local, f'RESOURCES["{name}"]', of=job, like=job.out_file)


def public_file(name: str) -> PublicFile:
    """An entry of the table, with the fields that the settings replace.

    :raises ValueError: there is no such file, or the settings have a name or a field that the table does not have
    """
    if name not in TABLE:
        raise ValueError(f"no public file {name!r}; expected one of {', '.join(TABLE)}")
    changes = dict(_setting("PUBLIC_FILES", TABLE).get(name, {}))
    known = {field.name for field in fields(PublicFile)} - {"name"}
    if not changes.keys() <= known:
        raise ValueError(f'settings.py: PUBLIC_FILES["{name}"] has {sorted(changes)}, expected some of {sorted(known)}')
    if isinstance(changes.get("urls"), str):
        raise ValueError(f'settings.py: PUBLIC_FILES["{name}"]["urls"] is a text, expected a list of addresses')
    if "checksum" in changes:  # another release has another size
        changes.setdefault("num_bytes", None)
    return replace(TABLE[name], **changes)


def _setting(name: str, known: Collection[str]) -> dict[str, Any]:
    value = getattr(gs, name, {})
    if not isinstance(value, dict):
        raise ValueError(f"settings.py: {name} is {value!r}, expected a dictionary with some of {', '.join(known)}")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise ValueError(f"settings.py: {name} has {', '.join(unknown)}; expected one of {', '.join(known)}")
    return value


def _local(path: str, setting: str, *, of: Job, like: tk.Path, part: str | None = None) -> tk.Path:
    """A local path. Jobs that read it get the same ids as if they read ``like``, an output of the job ``of``."""
    local = tk.Path(os.path.expanduser(path), hash_overwrite=(f"{of.job_id()}/output", like.path))
    needed = os.path.join(local.get_path(), part) if part else local.get_path()
    if not os.path.exists(needed):
        raise ValueError(
            f"settings.py: {setting} is {path!r}, but there is no {needed}; "
            "correct the setting, or remove it to have the files downloaded"
        )
    return local
