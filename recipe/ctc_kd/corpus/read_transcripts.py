"""What the readers of transcripts share, whatever the layout of the corpus."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.problems import refuse, shortened
from ctc_kd.corpus.transcripts import match_transcripts, write_transcripts


class Lines(NamedTuple):
    """The lines of a part's transcript files.

    :param lines: ``(place, utterance, normalised text)``, the place being a file, or a file and a line
    :param faults: what is wrong with the files
    :param notes: what the log should report
    """

    lines: list[tuple[str, str, str]]
    faults: Sequence[str] = ()
    notes: Sequence[str] = ()


class ReadTranscriptsJob(Job):
    """Reads the transcripts of one part in the order of ``cuts``: exactly one for each utterance.

    Each layout is a subclass with a method :meth:`read` and a ``remedy``, which ends the error.

    :param corpus_dir: the folder that holds the parts
    :param part: its name
    :param cuts: manifest of this part, by the layout's job that reads audio
    """

    remedy: str

    def __init__(self, *, corpus_dir: tk.Path, part: str, cuts: tk.Path):
        self.corpus_dir = corpus_dir
        self.part = part
        self.cuts = cuts
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def read(self, part_dir: str) -> Lines:
        raise NotImplementedError

    def run(self):
        part_dir = os.path.join(self.corpus_dir.get_path(), self.part)
        audio = {cut.id: cut.audio for cut in read_cuts(self.cuts.get_path())}
        found = self.read(part_dir)
        transcripts, problems = match_transcripts(found.lines, audio)
        refuse([*found.faults, *problems], where=part_dir, remedy=self.remedy)
        write_transcripts(self.out_transcripts.get_path(), {utterance: transcripts[utterance] for utterance in audio})
        print(f"{part_dir}: {len(transcripts)} transcripts, {sum(len(t.split()) for t in transcripts.values())} words")
        print_some(found.notes)


def print_some(notes: Sequence[str]):
    """Prints the number of notes and the first of them."""
    print("\n".join([f"{len(notes)} note(s)", *shortened(notes)]))
