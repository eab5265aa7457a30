"""Readers of the LibriSpeech layout: ``<part>/<speaker>/<chapter>/<speaker>-<chapter>-<NNNN>.flac`` and ``.trans.txt``.

Two jobs read the audio and the transcripts, so that jobs which need audio alone do not depend on transcripts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import read_header
from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
from ctc_kd.corpus.problems import CorpusError, print_left_out, refuse
from ctc_kd.corpus.read_transcripts import Lines, ReadTranscriptsJob
from ctc_kd.corpus.transcripts import transcript_lines
from ctc_kd.frames import SAMPLE_RATE_HZ


class ReadLibriSpeechAudioJob(Job):
    """Writes the utterances of one part to a lhotse cut manifest, sorted by id, from the headers of the audio files.

    Files that are not 16 kHz mono, hold no samples, cannot be read or are not named after their folders fail the job:
    the error names the first of them and their number. Files in the folders of chapters that are neither audio nor
    transcripts are counted in its log.

    :param corpus_dir: the folder that holds the parts (``LibriSpeech`` in the archives)
    :param part: its name, such as ``train-clean-100``
    """

    def __init__(self, *, corpus_dir: tk.Path, part: str):
        self.corpus_dir = corpus_dir
        self.part = part
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        part_dir = os.path.join(self.corpus_dir.get_path(), self.part)
        audio, problems, others = find_utterances(part_dir)
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            headers = list(pool.map(read_header, (path for _, path in audio.values())))
        cuts = []
        for utterance, header in sorted(zip(audio, headers, strict=True)):
            speaker, path = audio[utterance]
            if isinstance(header, str):
                problems.append(f"utterance {utterance}: {path}: {header}")
                continue
            cuts.append(
                whole_recording_cut(
                    utterance, audio=path, num_samples=header, sample_rate_hz=SAMPLE_RATE_HZ, speaker=speaker
                )
            )
        refuse(problems, where=part_dir, remedy="Repair or remove these files, then run the job again.")
        write_cuts(self.out_cuts.get_path(), cuts)
        hours = sum(cut.duration for cut in cuts) / 3600
        speakers = len({speaker for speaker, _ in audio.values()})
        print(f"{part_dir}: {len(cuts)} utterances, {speakers} speakers, {hours:.3f} hours")
        print_left_out(others)


class ReadLibriSpeechTranscriptsJob(ReadTranscriptsJob):
    """The transcripts of one part, see :class:`ctc_kd.corpus.read_transcripts.ReadTranscriptsJob`.

    Only case and white space of the text are normalised. Characters outside ``A-Z'``, words without a letter, empty or
    repeated transcripts, and transcripts without audio or audio without transcript fail the job.
    """

    remedy = (
        "Repair the .trans.txt files, then run the job again; if you add or remove audio, run both jobs of the part "
        "again."
    )

    def read(self, part_dir: str) -> Lines:
        return Lines(list(lines_of_part(part_dir)))


def chapter_dirs(part_dir: str) -> Iterator[tuple[str, str, str]]:
    """``(speaker, chapter, folder)`` of a part, in order of the names.

    :raises CorpusError: there is no such part
    """
    if not os.path.isdir(part_dir):
        raise CorpusError(f"{part_dir}: no such folder; expected a part of a corpus in LibriSpeech layout")
    for speaker in subfolders(part_dir):
        for chapter in subfolders(speaker.path):
            yield speaker.name, chapter.name, chapter.path


def subfolders(path: str) -> list[os.DirEntry]:
    with os.scandir(path) as entries:
        return sorted((entry for entry in entries if entry.is_dir()), key=lambda entry: entry.name)


def find_utterances(part_dir: str) -> tuple[dict[str, tuple[str, str]], list[str], list[str]]:
    """Utterance id -> ``(speaker, path)``, what is wrong with the names, and the names of other files.

    :raises CorpusError: there is no such part, or it has no audio
    """
    audio, problems, others = {}, [], []
    for speaker, chapter, folder in chapter_dirs(part_dir):
        for name in sorted(os.listdir(folder)):
            utterance, ending = os.path.splitext(name)
            path = os.path.join(folder, name)
            if name.startswith(".") or name == f"{speaker}-{chapter}.trans.txt":
                continue
            if ending != ".flac":
                others.append(name)
            elif not utterance.startswith(f"{speaker}-{chapter}-"):
                problems.append(f"{path}: the name should start with its folders, {speaker}-{chapter}-")
            elif utterance in audio:
                problems.append(f"utterance {utterance}: found twice, {audio[utterance][1]} and {path}")
            else:
                audio[utterance] = (speaker, path)
    if not audio and not problems:
        raise CorpusError(f"{part_dir}: no <speaker>/<chapter>/*.flac; expected a part in LibriSpeech layout")
    return audio, problems, others


def lines_of_part(part_dir: str) -> Iterator[tuple[str, str, str]]:
    """The lines of a part's ``.trans.txt`` files, see :func:`ctc_kd.corpus.transcripts.transcript_lines`."""
    for speaker, chapter, folder in chapter_dirs(part_dir):
        path = os.path.join(folder, f"{speaker}-{chapter}.trans.txt")
        if os.path.exists(path):  # else the missing transcripts are reported by utterance
            yield from transcript_lines(path)
