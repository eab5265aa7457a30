"""Audio of other sample rates and channels becomes 16 kHz mono, in bounded memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import as_stored, checksum_of, info_of, read_info, to_int16
from ctc_kd.corpus.audio_size import blocks_of, mended
from ctc_kd.corpus.cuts import Cut, key_of, read_cuts, recording_of, segment_cut, write_cuts
from ctc_kd.corpus.ogg_zip import bounded_map
from ctc_kd.corpus.problems import CorpusError, refuse
from ctc_kd.corpus.resampling import resampled
from ctc_kd.files import complete_file
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    import soundfile

    Source = tuple[str, tuple[int, ...]]

BLOCK_S = 60


class ConvertAudioJob(Job):
    """Writes a 16 kHz mono FLAC file of each recording that is something else, and the utterances as cuts of these.

    Channels are mixed by their mean, those of an utterance only; then torchaudio resamples, as lhotse does. Recordings
    that are 16 kHz mono are not copied. Audio that cannot be decoded fails the job. A killed one keeps what it has.

    :param cuts: of audio of any kind
    """

    def __init__(self, *, cuts: tk.Path):
        self.cuts = cuts
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.out_audio = self.output_path("audio")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 8}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        cuts = list(read_cuts(self.cuts.get_path()))
        os.makedirs(self.out_audio.get_path(), exist_ok=True)
        targets: dict[Source, str] = {}
        for cut in cuts:
            if (source := source_of(cut)) is not None:
                name = f"{key_of(source, info_of(cut))}.flac"
                targets[source] = os.path.join(self.out_audio.get_path(), name)
        lengths: dict[Source, int] = {}
        problems = []
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            results = bounded_map(pool, lambda item: convert(*item), targets.items(), window=4 * self.rqmt["cpu"])
            for number, (source, result) in enumerate(zip(targets, results, strict=True), 1):
                if isinstance(result, str):
                    problems.append(f"{source[0]}: {result}")
                else:
                    lengths[source] = result
                if number % -(-len(targets) // 20) == 0:
                    print(f"{number} of {len(targets)} recordings", flush=True)
        refuse(problems, where=self.cuts.get_path(), remedy="Repair these files, then run the job again.")
        write_cuts(self.out_cuts.get_path(), (converted(cut, targets, lengths) for cut in cuts))


def source_of(cut: Cut) -> Source | None:
    """The file and the channels of an utterance; None if it is 16 kHz mono."""
    return (cut.audio, cut.channels) if info_of(cut).fault else None


def converted(cut: Cut, targets: dict[Source, str], lengths: dict[Source, int]) -> Cut:
    """The same utterance within the converted recording."""
    source = source_of(cut)
    if source is None:
        return cut
    length = lengths[source]
    start, end = (round(time_s * SAMPLE_RATE_HZ) for time_s in (cut.start, cut.start + cut.duration))
    found = segment_cut(
        cut.id,
        recording=recording_of(
            cut.recording["id"], audio=targets[source], num_samples=length, sample_rate_hz=SAMPLE_RATE_HZ
        ),
        start=start,
        num_samples=min(end, length) - start,
        speaker=cut.speaker,
        language=cut.language,
    )
    return found.converted_from(cut)


def convert(source: Source, target: str) -> int | str:
    """Writes a 16 kHz mono FLAC file and returns its number of samples, or what is wrong with the source.

    :raises OSError: the file cannot be written
    """
    if isinstance(read_info(target), str):  # it is absent, or not complete
        try:
            with complete_file(target) as partial:
                write(partial, decoded(*source))
        except CorpusError as error:
            return f"cannot be decoded ({error})"
    return read_info(target).num_samples


def write(path: str, blocks: Iterable[np.ndarray]):
    """Writes int16 blocks as a FLAC file. If the disk is full only when it is closed, libsndfile does not say so.

    :raises OSError: it is not complete
    """
    import soundfile

    try:
        with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, channels=1, format="FLAC", subtype="PCM_16") as file:
            for block in blocks:
                file.write(block)
        fault = read_info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        fault = str(error)
    if isinstance(fault, str):
        raise OSError(f"{path}: cannot be written ({fault}); is the disk full?")


def decoded(path: str, channels: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The mean of some channels of a file, 16 kHz int16 ``[T]``.

    :raises CorpusError: it cannot be decoded
    """
    import soundfile

    try:
        with open(path, "rb") as file:
            checksum = checksum_of(file.read(42))
        with soundfile.SoundFile(mended(path)) as audio:
            for block in resampled(mono_blocks(audio, channels, checksum), audio.samplerate):
                yield to_int16(block)
    except (soundfile.LibsndfileError, OSError) as error:
        raise CorpusError(str(error)) from error


def mono_blocks(audio: soundfile.SoundFile, channels: tuple[int, ...], checksum: bytes | None) -> Iterator[np.ndarray]:
    """The mean of some channels, float32 ``[T]``: a minute at a time, a whole number of seconds but for the end.

    :param checksum: MD5 of all samples, which only a FLAC file has
    :raises CorpusError: there are not the samples that the header counts, or they do not have this checksum
    """
    import numpy as np

    dtype, scale = ("int32", 2.0**31) if audio.subtype.startswith("PCM_") else ("float32", 1.0)
    found = hashlib.md5(usedforsecurity=False)
    for block in blocks_of(audio, BLOCK_S * audio.samplerate, dtype=dtype):
        if checksum:
            found.update(as_stored(block, audio.subtype))
        yield (block[:, list(channels)].mean(axis=1) / scale).astype(np.float32)
    if checksum and found.digest() != checksum:
        raise CorpusError("its samples do not match its MD5 checksum")
