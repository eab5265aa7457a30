"""Reads a folder of audio files without transcripts, from which students with lambda = 1 can learn, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import ceil

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import AudioInfo, read_info
from ctc_kd.corpus.cuts import Cut, recording_of, segment_cut, write_cuts
from ctc_kd.corpus.listed import id_of_file
from ctc_kd.corpus.problems import CorpusError, print_left_out, refuse

ENDINGS = (".flac", ".wav", ".ogg", ".oga", ".opus")


class ReadAudioFolderJob(Job):
    """Writes the audio files below a folder to a lhotse cut manifest, from their headers.

    Utterances are named after the files: ``a/b c.flac`` becomes ``a-b_c``. A recording of more than ``max_seconds`` is
    cut into equal pieces ``a-b_c-0001``, .... A file that links lead to counts once, under its own name if that is in
    the folder. Audio files that are not 16 kHz mono, hold no samples, were cut short, cannot be read, or share an
    utterance id, fail the job. Files of other kinds, such as ``.mp3``, are left out and counted in the log.

    :param folder: read in place
    :param max_seconds: 1 or more
    :param convert: accept other sample rates and any number of channels, for ``ConvertAudioJob``
    """

    __sis_hash_exclude__ = {"convert": False}

    def __init__(self, *, folder: tk.Path, max_seconds: float = 30.0, convert: bool = False):
        if not max_seconds >= 1:
            raise ValueError(f"max_seconds: {max_seconds}, expected 1 or more")
        self.folder = folder
        self.max_seconds = max_seconds
        self.convert = convert
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        folder = self.folder.get_path()
        names, others = audio_files(folder)
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            infos = list(pool.map(read_info, (os.path.join(folder, name) for name in names)))
        faults = [info if isinstance(info, str) else None if self.convert else info.fault for info in infos]
        problems = [f"{name}: {fault}" for name, fault in zip(names, faults, strict=True) if fault]
        refuse(problems, where=folder, remedy="Repair or remove these files, or have them converted by convert=True.")
        cuts = [cut for file in zip(names, infos, strict=True) for cut in self._utterances(folder, *file)]
        sources: dict[str, str] = {}
        for cut in cuts:
            source = cut.audio
            if (other := sources.setdefault(cut.id, source)) != source:
                problems.append(f"utterance {cut.id}: both {other} and {source}")
        refuse(problems, where=folder, remedy="Rename or remove one of the two files, then run the job again.")
        write_cuts(self.out_cuts.get_path(), cuts)
        hours = sum(cut.duration for cut in cuts) / 3600
        print(f"{folder}: {len(names)} files, {len(cuts)} utterances, {hours:.3f} hours")
        print_left_out(others)

    def _utterances(self, folder: str, name: str, info: AudioInfo) -> Iterator[Cut]:
        """The whole file, or its pieces."""
        utterance = id_of_file(name)
        recording = recording_of(utterance, audio=os.path.join(folder, name), **info._asdict())
        pieces = max(1, ceil(recording["duration"] / self.max_seconds))
        ends = [info.num_samples * piece // pieces for piece in range(pieces + 1)]
        for number, (start, end) in enumerate(pairwise(ends), 1):
            yield segment_cut(
                utterance if pieces == 1 else f"{utterance}-{number:04d}",
                recording=recording,
                start=start,
                num_samples=end - start,
                speaker=name.split(os.sep)[0],
                channels=range(info.channels),
            )


def audio_files(folder: str) -> tuple[list[str], list[str]]:
    """The audio files and the other files of a folder, as sorted paths relative to it.

    :raises CorpusError: there is no audio
    """
    names = files_below(folder)
    audio = [name for name in names if name.lower().endswith(ENDINGS)]
    if not audio:
        raise CorpusError(f"{folder}: no audio; expected {', '.join(ENDINGS)} files of 16 kHz mono, also in subfolders")
    return audio, [name for name in names if not name.lower().endswith(ENDINGS)]


def files_below(folder: str) -> list[str]:
    """The files of a folder and its subfolders, as sorted paths relative to it. Links are followed, to each file once.

    Links come last, so that a file has its own name if that is in the folder. Hidden files and folders are left out:
    git-annex, desktops and editors keep copies in them.
    """
    names: dict[str, str] = {}  # by real path
    seen, waiting, links = set(), [""], []
    while waiting or links:
        name = waiting.pop() if waiting else links.pop(0)
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        if not os.path.isdir(path):
            names.setdefault(real, name)
            continue
        for entry in sorted(one for one in os.listdir(path) if not one.startswith(".")):
            below = os.path.join(path, entry)
            (links if os.path.islink(below) else waiting).append(os.path.join(name, entry))
    return sorted(names.values())
