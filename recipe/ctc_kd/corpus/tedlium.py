"""Readers of the TED-LIUM v2 layout: recordings ``<part>/sph/<talk>.sph``, their segments ``<part>/stm/<talk>.stm``.

Two jobs read the audio and the transcripts, so that jobs which need audio alone do not depend on transcripts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import NamedTuple

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import read_header, too_short
from ctc_kd.corpus.cuts import Cut, recording_of, segment_cut, write_cuts
from ctc_kd.corpus.problems import CorpusError, refuse
from ctc_kd.corpus.read_transcripts import Lines, ReadTranscriptsJob, print_some
from ctc_kd.corpus.stm import IGNORED, SHORTEST_S, Span, StmSegment, count_overlaps, extend, read_stm, spoken_words
from ctc_kd.frames import SAMPLE_RATE_HZ

CLIPPED_S = Decimal("0.5")
"""A segment that ends less than this after the end of its recording is cut off there."""


class ReadTedliumAudioJob(Job):
    """Writes the segments of one part to a lhotse cut manifest, sorted by talk, then as in the talk's STM file.

    Utterance ids are ``<talk>-<NNNN>``, counted from one; segments that scoring ignores are not counted. Of the STM
    files, only times and speakers are used, never the words.

    These faults fail the job, and the error names the first of them and their number: recordings that cannot be read,
    are not 16 kHz mono, or lack samples; recordings without STM file, or the reverse; lines that are no segments, or
    repeat one; segments that end 0.5 s or more after their recording, or are shorter than a frame. The job only prints
    and accepts segments that end less than 0.5 s after their recording (they are cut off there), overlapping segments,
    and talks without segments.

    :param corpus_dir: the folder that holds the parts (``TEDLIUM_release2`` in the archive)
    :param part: its name: ``train``, ``dev`` or ``test``
    :param extend_boundaries: lengthen segments into the silence around them, see :func:`ctc_kd.corpus.stm.extend`, as
        the paper's setup does in ``train``
    """

    def __init__(self, *, corpus_dir: tk.Path, part: str, extend_boundaries: bool = False):
        self.corpus_dir = corpus_dir
        self.part = part
        self.extend_boundaries = extend_boundaries
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        part_dir = os.path.join(self.corpus_dir.get_path(), self.part)
        recordings, stm_files = files_by_talk(part_dir, "sph"), files_by_talk(part_dir, "stm")
        talks = [talk for talk in recordings if talk in stm_files]
        problems = [
            f"talk {talk}: {path} has no STM file" for talk, path in recordings.items() if talk not in stm_files
        ]
        problems += [
            f"talk {talk}: {path} has no recording" for talk, path in stm_files.items() if talk not in recordings
        ]
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            headers = list(pool.map(read_header, (recordings[talk] for talk in talks)))
        cuts, notes = [], []
        for talk, header in zip(talks, headers, strict=True):
            found = read_talk(recordings[talk], stm_files[talk], header, extend_boundaries=self.extend_boundaries)
            cuts += found.cuts
            notes += [f"talk {talk}: {note}" for note in found.notes]
            problems += [f"talk {talk}: {problem}" for problem in found.problems]
        if not cuts and not problems:
            problems.append("no segments in any STM file")
        refuse(problems, where=part_dir, remedy="Repair or remove these files or lines, then run the job again.")
        write_cuts(self.out_cuts.get_path(), cuts)
        speakers = len({cut.speaker for cut in cuts})
        hours = sum(cut.duration for cut in cuts) / 3600
        print(f"{part_dir}: {len(cuts)} utterances of {len(talks)} talks, {speakers} speakers, {hours:.3f} hours")
        print_some(notes)


class ReadTedliumTranscriptsJob(ReadTranscriptsJob):
    """The transcripts of one part, see :class:`ctc_kd.corpus.read_transcripts.ReadTranscriptsJob`.

    Text is normalised by :func:`ctc_kd.corpus.stm.spoken_words`; markers that it leaves out are counted and printed.
    Characters outside ``A-Z'`` (as in ``<unk>``, digits, hyphens; release 2 is not known to have any), words without a
    letter, empty transcripts, and utterances without transcript or the reverse fail the job.
    """

    remedy = (
        f"Repair the STM files, or mark a segment that cannot be written in A-Z and ' by {IGNORED} instead of its "
        "words; then run both jobs of the part again."
    )

    def read(self, part_dir: str) -> Lines:
        lines, faults, notes = [], [], []
        for talk, path in files_by_talk(part_dir, "stm").items():
            segments, faults_of_talk = read_stm(path)
            faults += [f"talk {talk}: {fault}" for fault in faults_of_talk]
            for utterance, segment in utterances(talk, segments):
                text, markers = spoken_words(segment.text)
                lines.append((f"{path}:{segment.line}", utterance, text))
                if markers:
                    notes.append(f"utterance {utterance}: {markers} marker(s) left out of {segment.text!r}")
        return Lines(lines, faults, notes)


def files_by_talk(part_dir: str, kind: str) -> dict[str, str]:
    """Talk -> path of ``<part>/<kind>/<talk>.<kind>``, in order of the names.

    :raises CorpusError: there is no such folder
    """
    folder = os.path.join(part_dir, kind)
    if not os.path.isdir(folder):
        raise CorpusError(f"{folder}: no such folder; expected a part of a corpus in TED-LIUM layout")
    names = (os.path.splitext(name) for name in sorted(os.listdir(folder)) if not name.startswith("."))
    return {talk: os.path.join(folder, talk + ending) for talk, ending in names if ending == f".{kind}"}


def utterances(talk: str, segments: Sequence[StmSegment]) -> Iterator[tuple[str, StmSegment]]:
    """Utterance ids and their segments. The paper's setup numbers the segments of a talk in the same way."""
    for number, segment in enumerate(segments, 1):
        yield f"{talk}-{number:04d}", segment


class Talk(NamedTuple):
    """``notes``: what the log should report; ``problems``: what is wrong."""

    cuts: list[Cut]
    notes: list[str]
    problems: list[str]


def read_talk(recording: str, stm_file: str, header: int | str, *, extend_boundaries: bool) -> Talk:
    """:param header: of the recording: its number of samples, or what is wrong with it"""
    segments, problems = read_stm(stm_file)
    if isinstance(header, str):
        return Talk([], [], [f"{recording}: {header}", *problems])
    duration_s = Decimal(header) / SAMPLE_RATE_HZ
    spans, notes = [], []
    for segment in segments:
        place, beyond_s = f"{stm_file}:{segment.line}", segment.end_s - duration_s
        if beyond_s >= CLIPPED_S or segment.start_s + SHORTEST_S > duration_s:
            problems.append(f"{place}: {segment.start_s} to {segment.end_s} s, but the recording has {duration_s} s")
        elif beyond_s > 0:
            notes.append(f"{place}: ends {beyond_s} s after the recording, is cut off there")
        spans.append((segment.start_s, min(segment.end_s, duration_s)))
    if problems:
        return Talk([], notes, problems)
    overlaps = count_overlaps(spans)
    if overlaps:
        notes.append(f"{stm_file}: {overlaps} segment(s) start before an earlier one has ended")
    if not spans:
        notes.append(f"{stm_file}: no segments")
    if extend_boundaries:
        spans = extend(spans, duration_s)
    cuts = cut_up(recording, header, segments, spans)
    problems = [
        f"{stm_file}:{segment.line}: {fault}"
        for segment, cut in zip(segments, cuts, strict=True)
        if (fault := too_short(cut.num_samples))
    ]
    return Talk(cuts, notes, problems)


def cut_up(recording: str, num_samples: int, segments: Sequence[StmSegment], spans: Sequence[Span]) -> list[Cut]:
    """One cut for each segment, at the sample nearest to its time."""
    talk = os.path.splitext(os.path.basename(recording))[0]
    whole = recording_of(talk, audio=recording, num_samples=num_samples, sample_rate_hz=SAMPLE_RATE_HZ)
    cuts = []
    for (utterance, segment), span in zip(utterances(talk, segments), spans, strict=True):
        start, end = (round(time_s * SAMPLE_RATE_HZ) for time_s in span)
        cuts.append(
            segment_cut(utterance, recording=whole, start=start, num_samples=end - start, speaker=segment.speaker)
        )
    return cuts
