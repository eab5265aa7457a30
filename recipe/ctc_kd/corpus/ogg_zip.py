"""The audio archive of RETURNN's ``OggZipDataset``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice
from math import ceil
from typing import TypeVar

from sisyphus import Job, Task, tk

from ctc_kd.corpus.flac import SAMPLE_RATE_HZ, Segment, encode_recording
from ctc_kd.corpus.problems import refuse

NAME = "audio"
"""``OggZipDataset`` finds the content of an archive under the name of its file without ``.zip``."""

In, Out = TypeVar("In"), TypeVar("Out")


class OggZipJob(Job):
    """All utterances of a manifest as FLAC files in one archive, without any text; the sequence tags are the ids.

    Every recording is decoded once for all its utterances, in parallel, and lossless. Audio that cannot be decoded or
    is not what the manifest says fails the job; the error names utterances and files.

    :param cuts: a lhotse manifest of 16 kHz mono audio, one cut for each utterance
    """

    def __init__(self, *, cuts: tk.Path):
        self.cuts = cuts
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
        with zipfile.ZipFile(f"{path}.partial", "w") as archive, ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            # threads do: libsndfile and the checksums run outside Python's lock
            encoded = bounded_map(pool, encode_recording, recordings.values(), window=4 * self.rqmt["cpu"])
            for number, (group, contents) in enumerate(zip(recordings.values(), encoded, strict=True), 1):
                for segment, content in zip(group, contents, strict=True):
                    if isinstance(content, bytes):
                        archive.writestr(zipfile.ZipInfo(f"{NAME}/{file_name(segment)}"), content)
                    else:
                        problems.append(f"utterance {segment.utterance}: {segment.audio}: {content}")
                if number % ceil(len(recordings) / 20) == 0:
                    print(f"{number} of {len(recordings)} recordings", flush=True)
            refuse(problems, where=str(self.cuts), remedy="Repair these files, then run the job again.")
            archive.writestr(zipfile.ZipInfo(f"{NAME}.txt"), index_of(segments))
        os.replace(f"{path}.partial", path)


def read_segments(cuts: str) -> list[Segment]:
    from ctc_kd.corpus.cuts import read_cuts

    return [
        Segment(
            utterance=cut.id,
            speaker=cut.supervisions[0].speaker,
            audio=cut.recording.sources[0].source,
            start=round(cut.start * cut.sampling_rate),
            num_samples=cut.num_samples,
        )
        for cut in read_cuts(cuts)
    ]


def file_name(segment: Segment) -> str:
    return f"{segment.utterance.replace('/', '_')}.flac"


def index_of(segments: Iterable[Segment]) -> str:
    """The list of utterances as ``OggZipDataset`` reads it: a Python literal, one line each."""
    entries = (
        {
            "text": "",  # nothing that learns from audio alone may see a transcript
            "file": file_name(segment),
            "seq_name": segment.utterance,
            "duration": segment.num_samples / SAMPLE_RATE_HZ,
            "speaker_name": segment.speaker,
        }
        for segment in segments
    )
    return "[\n" + "".join(f"{entry!r},\n" for entry in entries) + "]\n"


def bounded_map(pool: Executor, function: Callable[[In], Out], items: Iterable[In], *, window: int) -> Iterator[Out]:
    """Like ``pool.map``, but at most ``window`` results are computed ahead and kept in memory."""
    items = iter(items)
    pending = deque(pool.submit(function, item) for item in islice(items, window))
    while pending:
        result = pending.popleft().result()
        pending.extend(pool.submit(function, item) for item in islice(items, 1))
        yield result
