"""Readers of one's own corpora: what a table, a Kaldi folder or lhotse manifests list.

Two jobs read the audio and the transcripts, so that jobs which need audio alone do not depend on transcripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.corpus import kaldi, manifests, table
from ctc_kd.corpus.audio import AudioInfo, read_info, too_short
from ctc_kd.corpus.cuts import Cut, read_cuts, recording_of, segment_cut, write_cuts
from ctc_kd.corpus.listed import Listed, faults_of_list, id_of_file
from ctc_kd.corpus.problems import refuse
from ctc_kd.corpus.transcripts import fault_of_characters, match_transcripts, write_transcripts
from ctc_kd.frames import SAMPLE_RATE_HZ

LAYOUTS = {"table": table, "kaldi": kaldi, "lhotse": manifests}
"""Layout -> module with ``list_audio(files)`` and ``texts(files)``."""

CLIPPED_S = 0.5
"""An utterance that ends less than this after the end of its recording is cut off there, as in Kaldi."""


class ReadListedAudioJob(Job):
    """Writes the utterances of a list to a lhotse cut manifest, sorted by id, from the audio's headers.

    Readers of other layouts sort them, too, so that a training sees one order of the data whatever its layout.

    These fail the job, which names the first of them and their number: lines that are no utterances, ids that occur
    twice, audio that is missing, cannot be read, was cut short, or is not 16 kHz mono, and utterances that are too
    short or end 0.5 s or more after their recording. Texts are not looked at.

    :param layout: one of :data:`LAYOUTS`
    :param files: the table, the Kaldi folder, or lhotse's manifests; read in place
    :param convert: accept other sample rates and any number of channels, for
        :class:`ctc_kd.corpus.convert.ConvertAudioJob`
    """

    def __init__(self, *, layout: str, files: Sequence[tk.Path], convert: bool = False):
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {layout!r}, expected one of {list(LAYOUTS)}")
        self.layout = layout
        self.files = files
        self.convert = convert
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        files = [path.get_path() for path in self.files]
        listed, problems = LAYOUTS[self.layout].list_audio(files)
        problems += faults_of_list(listed)
        if not listed and not problems:
            problems.append("no utterances")
        remedy = "Repair or remove these entries, then run the job again."
        refuse(problems, where=files[0], remedy=remedy)
        audio = {item.audio: item for item in listed}
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            infos = dict(zip(audio, pool.map(read_info, audio), strict=True))
        problems = [f"{audio[path].place}: {path}: {info}" for path, info in infos.items() if isinstance(info, str)]
        refuse(problems, where=files[0], remedy=remedy)
        if not self.convert:
            faults = [f"{path}: {info.fault}" for path, info in infos.items() if info.fault]
            refuse(faults, where=files[0], remedy="Convert these files, or have them converted by convert=True.")
        faults = [(item, fault_of_place(item, infos[item.audio])) for item in listed]
        problems = [f"{item.place}: utterance {item.utterance}: {fault}" for item, fault in faults if fault]
        refuse(problems, where=files[0], remedy=remedy)
        recordings = {path: recording_of(id_of_file(path), audio=path, **infos[path]._asdict()) for path in audio}
        listed.sort(key=lambda item: item.utterance)
        cuts = [cut_of(item, infos[item.audio], recordings[item.audio]) for item in listed]
        write_cuts(self.out_cuts.get_path(), cuts)
        speakers, hours = len({item.speaker for item in listed}), sum(cut.duration for cut in cuts) / 3600
        print(f"{files[0]}: {len(cuts)} utterances of {len(audio)} files, {speakers} speakers, {hours:.3f} hours")


class ReadListedTranscriptsJob(Job):
    """Writes the texts of a list's utterances, as they are but for white space and the Unicode form NFC.

    An utterance without text, with an empty text or with two, and a text without utterance fail the job. Which
    characters a text may have is up to the labels that are made of it, see
    :func:`ctc_kd.corpus.transcripts.read_texts`.

    :param cuts: by :class:`ReadListedAudioJob` of the same list
    """

    def __init__(self, *, layout: str, files: Sequence[tk.Path], cuts: tk.Path):
        self.layout = layout
        self.files = files
        self.cuts = cuts
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        files = [path.get_path() for path in self.files]
        audio = {cut.id: cut.audio for cut in read_cuts(self.cuts.get_path())}
        lines = LAYOUTS[self.layout].texts(files)
        transcripts, problems = match_transcripts(lines, audio, fault_of_characters)
        remedy = "Give each utterance one text, then run the job again; if you remove one, run both jobs of the list."
        refuse(problems, where=files[-1], remedy=remedy)
        write_transcripts(self.out_transcripts.get_path(), {utterance: transcripts[utterance] for utterance in audio})
        print(f"{files[-1]}: {len(audio)} transcripts")


def fault_of_place(item: Listed, info: AudioInfo) -> str | None:
    """What is wrong with the place of an utterance in its recording; None if nothing."""
    start, end = span_of(item, info)
    duration_s = info.num_samples / info.sample_rate_hz
    if item.end_s is not None and item.end_s - duration_s >= CLIPPED_S or start >= end:
        return f"{item.start_s:g} to {item.end_s or duration_s:g} s, but {item.audio} has {duration_s:g} s"
    if item.channels is not None and max(item.channels) >= info.channels:
        return f"channel {max(item.channels)}, counted from 0, of the {info.channels} of {item.audio}"
    return too_short((end - start) * SAMPLE_RATE_HZ // info.sample_rate_hz)


def cut_of(item: Listed, info: AudioInfo, recording: dict[str, Any]) -> Cut:
    start, end = span_of(item, info)
    return segment_cut(
        item.utterance,
        recording=recording,
        start=start,
        num_samples=end - start,
        speaker=item.speaker,
        language=item.language,
        channels=range(info.channels) if item.channels is None else item.channels,
    )


def span_of(item: Listed, info: AudioInfo) -> tuple[int, int]:
    """The first sample of an utterance, and the one after its last; those that the recording has."""
    end = info.num_samples if item.end_s is None else round(item.end_s * info.sample_rate_hz)
    return round(item.start_s * info.sample_rate_hz), min(end, info.num_samples)
