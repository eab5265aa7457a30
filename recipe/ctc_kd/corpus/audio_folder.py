"""Reads a folder of audio files without transcripts, from which students with lambda = 1 can learn, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import read_header
from ctc_kd.corpus.problems import CorpusError, print_left_out, refuse
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from lhotse import MonoCut

ENDINGS = (".flac", ".wav", ".ogg")


class ReadAudioFolderJob(Job):
    """Writes the audio files below a folder to a lhotse cut manifest, from their headers.

    Utterances are named after the files: ``a/b.flac`` becomes ``a-b``. A recording of more than ``max_seconds`` is cut
    into equal pieces ``a-b-0001``, .... Audio files that are not 16 kHz mono, hold no samples or cannot be read fail
    the job. Files of other kinds, such as ``.mp3``, are left out and counted in the log.

    :param folder: read in place
    """

    def __init__(self, *, folder: tk.Path, max_seconds: float = 30.0):
        self.folder = folder
        self.max_seconds = max_seconds
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.corpus.cuts import write_cuts

        folder = self.folder.get_path()
        names, others = audio_files(folder)
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            headers = list(pool.map(read_header, (os.path.join(folder, name) for name in names)))
        problems = [f"{name}: {fault}" for name, fault in zip(names, headers, strict=True) if isinstance(fault, str)]
        refuse(problems, where=folder, remedy="Repair or remove these files, then run the job again.")
        cuts = [cut for file in zip(names, headers, strict=True) for cut in self._utterances(folder, *file)]
        write_cuts(self.out_cuts.get_path(), cuts)
        hours = sum(cut.duration for cut in cuts) / 3600
        print(f"{folder}: {len(names)} files, {len(cuts)} utterances, {hours:.3f} hours")
        print_left_out(others)

    def _utterances(self, folder: str, name: str, num_samples: int) -> Iterator[MonoCut]:
        """The whole file, or its pieces."""
        from ctc_kd.corpus.cuts import segment_cut, whole_recording_cut

        utterance, speaker = os.path.splitext(name)[0].replace(os.sep, "-"), name.split(os.sep)[0]
        whole = whole_recording_cut(
            utterance,
            audio=os.path.join(folder, name),
            num_samples=num_samples,
            sample_rate_hz=SAMPLE_RATE_HZ,
            speaker=speaker,
        )
        pieces = ceil(whole.duration / self.max_seconds)
        if pieces == 1:
            yield whole
            return
        ends = [num_samples * piece // pieces for piece in range(pieces + 1)]
        for number, (start, end) in enumerate(pairwise(ends), 1):
            piece = f"{utterance}-{number:04d}"
            yield segment_cut(piece, recording=whole.recording, start=start, num_samples=end - start, speaker=speaker)


def audio_files(folder: str) -> tuple[list[str], list[str]]:
    """The audio files and the other files of a folder, as sorted paths relative to it.

    :raises CorpusError: there is no audio
    """
    names = sorted(
        os.path.relpath(os.path.join(path, name), folder)
        for path, _, files in os.walk(folder, followlinks=True)
        for name in files
        if not name.startswith(".")
    )
    audio = [name for name in names if name.lower().endswith(ENDINGS)]
    if not audio:
        raise CorpusError(f"{folder}: no audio; expected {', '.join(ENDINGS)} files of 16 kHz mono, also in subfolders")
    return audio, [name for name in names if not name.lower().endswith(ENDINGS)]
