"""The audio archive of RETURNN's ``OggZipDataset``."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import islice
from math import ceil
from typing import TypeVar

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import AUDIO_FORMATS, Segment, encode_recording
from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.problems import refuse
from ctc_kd.corpus.speed import perturbed_id, perturbed_length
from ctc_kd.frames import SAMPLE_RATE_HZ

NAME = "audio"
"""``OggZipDataset`` finds the content of an archive under the name of its file without ``.zip``."""

In, Out = TypeVar("In"), TypeVar("Out")


class OggZipJob(Job):
    """Packs all utterances of a manifest as audio files into one archive, without any text.

    The sequence tags are the utterance ids. Every recording is decoded once for all its utterances, in parallel. Audio
    that cannot be decoded or differs from the manifest fails the job; the error names utterances and files.

    A killed job starts over. One core copies the 281 thousand files of ``train-other-960`` (63 GB) in 16 minutes,
    perturbs them in 48 minutes, and encodes them as Vorbis in 2.4 hours.

    :param cuts: a lhotse manifest of 16 kHz mono audio, one cut for each utterance
    :param audio_format: ``flac``, which is lossless, or ``vorbis``, as published: it takes a third of the space, but
        changes the samples a little, and each run of the job writes other stream numbers
    :param length_factor: resample the utterances to this multiple of their length, and add it to their ids, see
        ``ctc_kd.corpus.speed``
    """

    def __init__(self, *, cuts: tk.Path, audio_format: str = "flac", length_factor: float = 1.0):
        if audio_format not in AUDIO_FORMATS:
            raise ValueError(f"audio_format is {audio_format!r}, expected one of {list(AUDIO_FORMATS)}")
        self.cuts = cuts
        self.audio_format = audio_format
        self.length_factor = length_factor
        self.out_ogg_zip = self.output_path(f"{NAME}.zip")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 8}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import zipfile

        segments = read_segments(self.cuts.get_path())
        recordings: dict[str, list[Segment]] = {}
        for segment in segments:
            recordings.setdefault(segment.audio, []).append(segment)
        path, problems = self.out_ogg_zip.get_path(), []
        work = partial(encode_recording, audio_format=self.audio_format, length_factor=self.length_factor)
        with zipfile.ZipFile(f"{path}.partial", "w") as archive, ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            # threads are enough: libsndfile and the checksums run outside Python's lock
            encoded = bounded_map(pool, work, recordings.values(), window=4 * self.rqmt["cpu"])
            for number, (group, contents) in enumerate(zip(recordings.values(), encoded, strict=True), 1):
                for segment, content in zip(group, contents, strict=True):
                    if isinstance(content, bytes):
                        archive.writestr(zipfile.ZipInfo(f"{NAME}/{self.entry(segment)['file']}"), content)
                    else:
                        problems.append(f"utterance {segment.utterance}: {segment.audio}: {content}")
                if number % ceil(len(recordings) / 20) == 0:
                    print(f"{number} of {len(recordings)} recordings", flush=True)
            refuse(problems, where=str(self.cuts), remedy="Repair these files, then run the job again.")
            lines = (f"{self.entry(segment)!r},\n" for segment in segments)
            archive.writestr(zipfile.ZipInfo(f"{NAME}.txt"), "[\n" + "".join(lines) + "]\n")
        os.replace(f"{path}.partial", path)

    def entry(self, segment: Segment) -> dict[str, str | float]:
        """An utterance as ``OggZipDataset`` reads it: the index is a Python literal, a list of such entries."""
        utterance = perturbed_id(segment.utterance, self.length_factor)
        return {
            "text": "",  # training on audio alone must not see transcripts
            "file": f"{file_name(utterance)}.{AUDIO_FORMATS[self.audio_format].ending}",
            "seq_name": utterance,
            "duration": perturbed_length(segment.num_samples, self.length_factor) / SAMPLE_RATE_HZ,
            "speaker_name": segment.speaker,
        }


def read_segments(cuts: str) -> list[Segment]:
    """The utterances of a manifest.

    :raises CorpusError: there are no utterances, or two ids are equal, or equal as file names
    """
    segments = [
        Segment(
            utterance=cut.id,
            speaker=cut.speaker,
            audio=cut.audio,
            start=round(cut.start * cut.sample_rate_hz),
            num_samples=cut.num_samples,
        )
        for cut in read_cuts(cuts)
    ]
    names = Counter(file_name(segment.utterance) for segment in segments)
    problems = [
        f"utterance {segment.utterance}: {segment.audio}: the id is not unique as a file name, in which / becomes _"
        for segment in segments
        if names[file_name(segment.utterance)] > 1
    ]
    if not segments:
        problems.append("no utterances")
    refuse(problems, where=cuts, remedy="Expected utterances, each with an id of its own.")
    return segments


def file_name(utterance: str) -> str:
    return utterance.replace("/", "_")


def bounded_map(pool: Executor, function: Callable[[In], Out], items: Iterable[In], *, window: int) -> Iterator[Out]:
    """Like ``pool.map``, but at most ``window`` results are computed ahead and kept in memory."""
    items = iter(items)
    pending = deque(pool.submit(function, item) for item in islice(items, window))
    while pending:
        result = pending.popleft().result()
        pending.extend(pool.submit(function, item) for item in islice(items, 1))
        yield result
