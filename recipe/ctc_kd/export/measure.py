"""What recognition with exported students costs."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Sequence

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import AUDIO_FORMATS
from ctc_kd.files import read_json, write_json

ENDINGS = tuple(f".{audio.ending}" for audio in AUDIO_FORMATS.values())


class MeasureStudentsJob(Job):
    """Measures exported models in turns, so that all have the same machine and the same recordings.

    :param students: name -> folder by ExportStudentJob
    :param audio: archive by OggZipJob
    :param recordings: how many of the archive are recognised, at even distances

    ``out_records``: JSON: name -> :class:`ctc_kd.report.record.Record` of the model, with its cost.

    Each is measured on one thread, and on all cores that its process may use.
    """

    def __init__(self, *, students: dict[str, tk.Path], audio: tk.Path, recordings: int = 24):
        if not students or recordings < 1:
            raise ValueError(f"{len(students)} models and {recordings} recordings to measure, expected at least one")
        self.students = students
        self.audio = audio
        self.recordings = recordings
        self.out_records = self.output_path("records.json")
        self.rqmt = {"cpu": 4, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from dataclasses import replace

        from ctc_kd.machine import cores
        from ctc_kd.recognition.cost import costs
        from ctc_kd.recognition.folder import CONFIG
        from ctc_kd.report.record import Record

        records = {}
        paths = {name: student.get_path() for name, student in self.students.items()}
        with tempfile.TemporaryDirectory() as folder:
            recordings = unpacked(self.audio.get_path(), self.recordings, folder)
            measured = costs(paths, recordings, threads=sorted({1, cores()}))
        for name, cost in measured.items():
            facts = read_json(os.path.join(paths[name], CONFIG))["facts"]
            records[name] = replace(Record.from_json(facts), cost=cost).to_json()
            for run in cost.runs:
                print(f"{name}: {run}", flush=True)
        write_json(self.out_records.get_path(), records)


def unpacked(archive: str, number: int, folder: str) -> Sequence[str]:
    """The files of ``number`` recordings of an archive, or of all if it has fewer, in ``folder``."""
    with zipfile.ZipFile(archive) as content:
        audio = sorted(name for name in content.namelist() if name.endswith(ENDINGS))
        number = min(number, len(audio))
        return [content.extract(audio[index * len(audio) // number], folder) for index in range(number)]
