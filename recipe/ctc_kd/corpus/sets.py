"""Jobs that make sets of utterances from others: unions, random samples, transcripts of a set, splits by speaker."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import read_cuts, write_cuts
from ctc_kd.corpus.problems import CorpusError, refuse
from ctc_kd.corpus.transcripts import read_texts, write_transcripts
from ctc_kd.files import text_lines

Item = TypeVar("Item")


class CombineCutsJob(Job):
    """The utterances of several manifests, one manifest after the other.

    An id that occurs twice fails the job; the error names it and both files. LibriSpeech's ``train-other-960`` is
    ``train-clean-100``, ``train-clean-360`` and ``train-other-500`` in this order.
    """

    def __init__(self, *, cuts: list[tk.Path]):
        self.cuts = cuts
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        paths = [path.get_path() for path in self.cuts]
        cuts = union((path, ((cut.id, cut) for cut in read_cuts(path))) for path in paths)
        write_cuts(self.out_cuts.get_path(), cuts.values())
        print(f"{len(cuts)} utterances of {len(paths)} manifests")


class CombineTranscriptsJob(Job):
    """The transcripts of several files, one file after the other; an id that occurs twice fails the job."""

    def __init__(self, *, transcripts: list[tk.Path]):
        self.transcripts = transcripts
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        paths = [path.get_path() for path in self.transcripts]
        transcripts = union((path, read_texts(path).items()) for path in paths)
        write_transcripts(self.out_transcripts.get_path(), transcripts)
        print(f"{len(transcripts)} transcripts of {len(paths)} files")


class SelectTranscriptsJob(Job):
    """The transcripts of the utterances of ``cuts``, in their order; an utterance without transcript fails the job."""

    def __init__(self, *, transcripts: tk.Path, cuts: tk.Path):
        self.transcripts = transcripts
        self.cuts = cuts
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        path = self.transcripts.get_path()
        transcripts = read_texts(path)
        utterances = [cut.id for cut in read_cuts(self.cuts.get_path())]
        refuse(
            [f"utterance {utterance}: no transcript" for utterance in utterances if utterance not in transcripts],
            where=path,
            remedy=f"Expected the transcripts of all utterances of {self.cuts.get_path()}.",
        )
        write_transcripts(self.out_transcripts.get_path(), {name: transcripts[name] for name in utterances})
        print(f"{len(utterances)} of {len(transcripts)} transcripts")


class SelectCutsJob(Job):
    """The utterances of a manifest that a list names, in the order of the manifest.

    :param utterances: one id per line, such as ``SpellTranscriptsJob.out_utterances``
    """

    def __init__(self, *, cuts: tk.Path, utterances: tk.Path):
        self.cuts = cuts
        self.utterances = utterances
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        wanted = {line.strip() for line in text_lines(self.utterances.get_path())}
        cuts = list(read_cuts(self.cuts.get_path()))
        kept = [cut for cut in cuts if cut.id in wanted]
        write_cuts(self.out_cuts.get_path(), kept)
        print(f"{len(kept)} of {len(cuts)} utterances")


class SampleUtterancesJob(Job):
    """Draws ``num`` utterances at random, and keeps the order of the manifest.

    The published validation set of LibriSpeech is such a sample of 1500 utterances of ``dev-clean`` and one of
    ``dev-other``. A manifest of fewer than ``num`` utterances (a corpus in miniature) is taken as a whole, with a
    note in the log.

    :param seed: equal seeds draw equal samples of one manifest
    """

    def __init__(self, *, cuts: tk.Path, num: int, seed: int):
        self.cuts = cuts
        self.num = num
        self.seed = seed
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        cuts = list(read_cuts(self.cuts.get_path()))
        if len(cuts) < self.num:
            print(f"{self.cuts.get_path()}: took all of its {len(cuts)} utterances, {self.num} were requested")
        drawn = in_random_order(len(cuts), self.seed)[: self.num]
        write_cuts(self.out_cuts.get_path(), [cuts[number] for number in sorted(drawn)])


def in_random_order(number: int, seed: int) -> list[int]:
    """The numbers from 0 to before ``number``."""
    numbers = list(range(number))
    random.Random(seed).shuffle(numbers)
    return numbers


class SampleHoursJob(Job):
    """Draws utterances at random until they have ``hours``, and keeps the order of the manifest.

    Samples of one manifest are nested: a larger one has all utterances of a smaller one. A manifest with fewer hours
    fails the job.
    """

    def __init__(self, *, cuts: tk.Path, hours: float):
        if not hours > 0:
            raise ValueError(f"hours {hours}, expected a number above 0")
        self.cuts = cuts
        self.hours = hours
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        cuts = list(read_cuts(self.cuts.get_path()))
        hours = sum(cut.duration for cut in cuts) / 3600
        if hours < self.hours:
            raise CorpusError(f"{self.cuts.get_path()}: {hours:.3f} hours, expected {self.hours} hours or more")
        drawn, hours = [], 0.0
        for number in in_random_order(len(cuts), seed=0):
            if hours >= self.hours:
                break
            drawn.append(number)
            hours += cuts[number].duration / 3600
        write_cuts(self.out_cuts.get_path(), [cuts[number] for number in sorted(drawn)])
        print(f"{len(drawn)} of {len(cuts)} utterances, {hours:.3f} hours")


class SplitBySpeakerJob(Job):
    """Divides a manifest into train, dev and test without common speakers, for a corpus that has only one part.

    :param dev_speakers: ids of the speakers held out for dev, or their number
    :param test_speakers: the same for test; numbers take speakers from the end of the sorted ids, first for test
    """

    def __init__(self, *, cuts: tk.Path, dev_speakers: list[str] | int, test_speakers: list[str] | int):
        self.cuts = cuts
        self.dev_speakers = dev_speakers
        self.test_speakers = test_speakers
        self.out_train = self.output_path("train.jsonl.gz")
        self.out_dev = self.output_path("dev.jsonl.gz")
        self.out_test = self.output_path("test.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        cuts = list(read_cuts(self.cuts.get_path()))
        speakers = {cut.speaker for cut in cuts}
        try:
            part_of = divide(speakers, dev=self.dev_speakers, test=self.test_speakers)
        except ValueError as error:
            raise CorpusError(f"{self.cuts.get_path()}: {error}") from error
        for part, output in (("train", self.out_train), ("dev", self.out_dev), ("test", self.out_test)):
            chosen = [cut for cut in cuts if part_of[cut.speaker] == part]
            write_cuts(output.get_path(), chosen)
            names = sorted(speaker for speaker in speakers if part_of[speaker] == part)
            print(f"{part}: {len(chosen)} utterances of {len(names)} speakers: {' '.join(names)}")


def divide(speakers: Iterable[str], *, dev: list[str] | int, test: list[str] | int) -> dict[str, str]:
    """Speaker -> ``train``, ``dev`` or ``test``.

    :raises ValueError: a speaker does not exist or is wanted for both, or a part would be empty
    """
    parts = dict.fromkeys(sorted(speakers), "train")
    for part, wanted in (("test", test), ("dev", dev)):
        if isinstance(wanted, int):
            left = [speaker for speaker in parts if parts[speaker] == "train"]
            wanted = left[max(0, len(left) - wanted) :]
        for speaker in wanted:
            if parts.get(speaker) != "train":
                fault = f"held out for {parts[speaker]} already" if speaker in parts else "there is no such speaker"
                raise ValueError(f"speaker {speaker} for {part}: {fault}")
            parts[speaker] = part
    missing = {"train", "dev", "test"} - set(parts.values())
    if missing:
        raise ValueError(
            f"no speaker is left for {', '.join(sorted(missing))}: hold out fewer of the {len(parts)} speakers"
        )
    return parts


def union(parts: Iterable[tuple[str, Iterable[tuple[str, Item]]]]) -> dict[str, Item]:
    """Utterance id -> item, part after part.

    :param parts: ``(file, its items by utterance id)``
    :raises CorpusError: an id is in two files, or twice in one
    """
    items, origin, problems = {}, {}, []
    for path, part in parts:
        for utterance, item in part:
            if utterance in items:
                problems.append(f"utterance {utterance}: in {origin[utterance]} and in {path}")
            items[utterance], origin[utterance] = item, path
    refuse(problems, where="combined parts", remedy="Name each part once, and give parts disjoint utterance ids.")
    return items
