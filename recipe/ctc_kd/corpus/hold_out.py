"""Holds a part of a corpus out of training, by recordings."""

from __future__ import annotations

import random

from sisyphus import Job, Task, tk

from ctc_kd.corpus.problems import CorpusError


class HoldOutJob(Job):
    """Divides a manifest into what students learn from, and what they are measured on. A recording is in one of them.

    Recordings are drawn until they have the wanted share of the time, without those that would make it more than twice
    the share; equal manifests give equal draws. Where the drawn ones have less than half of the share, because the
    others are too long, the last utterances of the manifest are held out instead.

    :param share: of the time, between 0 and 0.5

    ``out_train``, ``out_held_out``: manifests in the order of the given one.
    """

    def __init__(self, *, cuts: tk.Path, share: float = 0.05):
        if not 0 < share < 0.5:
            raise ValueError(f"share {share}: expected a number between 0 and 0.5")
        self.cuts = cuts
        self.share = share
        self.out_train = self.output_path("train.jsonl.gz")
        self.out_held_out = self.output_path("held_out.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.corpus.cuts import read_cuts, write_cuts

        path = self.cuts.get_path()
        cuts = list(read_cuts(path))
        if len(cuts) < 2:
            raise CorpusError(f"{path}: {len(cuts)} utterances, expected at least 2: one to learn from, one held out")
        held_out = chosen([(cut.recording["id"], cut.duration) for cut in cuts], self.share)
        for output, wanted in ((self.out_train, False), (self.out_held_out, True)):
            part = [cut for number, cut in enumerate(cuts) if (number in held_out) == wanted]
            write_cuts(output.get_path(), part)
            print(f"{output.get_path()}: {len(part)} utterances, {sum(cut.duration for cut in part) / 3600:.3f} hours")


def chosen(utterances: list[tuple[str, float]], share: float) -> set[int]:
    """The numbers of the utterances to hold out, at least one and not all.

    :param utterances: recording and seconds of each
    """
    wanted = share * sum(seconds for _, seconds in utterances)
    recordings: dict[str, list[int]] = {}
    for number, (recording, _) in enumerate(utterances):
        recordings.setdefault(recording, []).append(number)
    shuffled = list(recordings.values())
    random.Random(0).shuffle(shuffled)
    found, seconds = [], 0.0
    for numbers in shuffled:
        more = sum(utterances[number][1] for number in numbers)
        if seconds < wanted and seconds + more <= 2 * wanted:
            found += numbers
            seconds += more
    if seconds >= wanted / 2:
        return set(found)
    first, seconds = len(utterances), 0.0
    while seconds < wanted and first > 1:
        first -= 1
        seconds += utterances[first][1]
    return set(range(first, len(utterances)))
