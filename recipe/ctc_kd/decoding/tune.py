"""The scales of language model and prior, chosen on dev."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence

from sisyphus import Job, Task, tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.files import read_json, write_json
from ctc_kd.scoring.score import ERROR_RATES, check_unit

Pair = tuple[float, float]
"""Scale of the language model, scale of the prior."""

FINISHED = "finished.json"
CLIMBERS = 3
CHUNK_FRAMES = 30_000
"""A worker's unit of work is at most 20 minutes of audio at 25 Hz."""


class TuneScalesJob(Job):
    """Searches dev with pairs of the two scales and picks the pair with the lowest error rate.

    Among pairs with equal error rates, the smaller language model scale wins, then the smaller prior scale.

    :param posteriors: HDF of log posteriors
    :param prior: log prior, text
    :param transcripts: references of the same utterances
    :param lexicon, lm: as in :class:`ctc_kd.decoding.search_job.SearchJob`
    :param lm_scales: for base-10 log probabilities, see :class:`ctc_kd.decoding.search.LexiconDecoder`
    :param prior_scales: see :func:`ctc_kd.decoding.posteriors.emissions`
    :param unit: of the errors, see :func:`ctc_kd.scoring.score.units_of`
    :param climb: search only the pairs that :func:`next_of_climb` asks for, instead of all

    ``out_lm_scale``, ``out_prior_scale``: the best pair. ``out_grid``: JSON list of ``lm_scale, prior_scale, wer``
    of the pairs that were searched.

    The number of worker processes is ``rqmt["cpu"]``. A restarted job keeps the pairs that were finished.
    """

    __sis_hash_exclude__ = {"unit": "words", "climb": False}

    def __init__(
        self,
        *,
        posteriors: tk.Path,
        prior: tk.Path,
        transcripts: tk.Path,
        lexicon: tk.Path | None,
        lm: tk.Path | None,
        lm_scales: Sequence[float],
        prior_scales: Sequence[float],
        search: SearchConfig,
        unit: str = "words",
        climb: bool = False,
    ):
        check_unit(unit)
        self.posteriors = posteriors
        self.prior = prior
        self.transcripts = transcripts
        self.lexicon = lexicon
        self.lm = lm
        self.lm_scales = list(lm_scales)
        self.prior_scales = list(prior_scales)
        self.search = search
        self.unit = unit
        self.climb = climb
        self.out_lm_scale = self.output_var("lm_scale")
        self.out_prior_scale = self.output_var("prior_scale")
        self.out_grid = self.output_path("grid.json")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def grid(self) -> list[Pair]:
        """All ``(lm_scale, prior_scale)`` pairs, in order."""
        return sorted(itertools.product(set(self.lm_scales), set(self.prior_scales)))

    def completed_fraction(self) -> float:
        """Of the whole grid; a climb ends before 1."""
        return len(read_finished(os.path.join(self.work_path(), FINISHED))) / len(self.grid())

    def run(self):
        wers, rate = read_finished(FINISHED), ERROR_RATES[self.unit]
        print(f"{len(self.grid())} pairs of scales, {len(wers)} are finished", flush=True)
        search = None
        while missing := self.missing(wers):
            search = search or self.searcher()
            for pair, wer in search(missing):
                wers[pair] = wer
                write_finished(FINISHED, wers)
                print(f"{len(wers)}/{len(self.grid())}: LM {pair[0]}, prior {pair[1]}: {rate} {wer:.2f} %", flush=True)

        best = best_of(wers)
        print(f"best: LM {best[0]}, prior {best[1]}: {rate} {wers[best]:.2f} %")
        for name, value, values in zip(("LM", "prior"), best, (self.lm_scales, self.prior_scales), strict=True):
            if len(set(values)) > 1 and value in (min(values), max(values)):
                print(f"note: the best {name} scale is at the edge of the grid; a wider grid may have a better pair")
        write_finished(self.out_grid.get_path(), {pair: wers[pair] for pair in self.grid() if pair in wers})
        self.out_lm_scale.set(best[0])
        self.out_prior_scale.set(best[1])

    def missing(self, wers: dict[Pair, float]) -> list[Pair]:
        """The pairs to search next; none at the end."""
        wanted = next_of_climb(self.lm_scales, self.prior_scales, wers) if self.climb else self.grid()
        return [pair for pair in wanted if pair not in wers]

    def searcher(self) -> Callable[[list[Pair]], Iterator[tuple[Pair, float]]]:
        """Loads the models; the function that is returned yields ``(pair, WER)`` as the pairs get finished."""
        from ctc_kd.corpus.transcripts import read_transcripts
        from ctc_kd.decoding.stored import StoredSet
        from ctc_kd.decoding.workers import chunks, run_units
        from ctc_kd.scoring.alignment import Counts, align, count
        from ctc_kd.scoring.score import check_utterances, units_of

        stored = StoredSet(
            posteriors=self.posteriors, prior=self.prior, lexicon=self.lexicon, lm=self.lm, config=self.search
        )
        if self.lexicon is None and stored.inventory.kind == "phonemes":
            raise ValueError(
                f"{self.posteriors.get_path()}: phonemes spell no words to compare with "
                f"{self.transcripts.get_path()}: give a lexicon and a text, or neither dev nor test"
            )
        normalised, lengths = stored.inventory.normalised, stored.lengths
        references = read_transcripts(self.transcripts.get_path(), normalised)
        check_utterances(references, lengths, names=(self.transcripts.get_path(), self.posteriors.get_path()))
        workers = self.rqmt["cpu"]

        def search_chunk(unit) -> Counts:
            (lm_scale, prior_scale), utterances = unit
            counts = Counts()
            for utterance in utterances:
                found = normalised(stored.search(utterance, lm_scale=lm_scale, prior_scale=prior_scale))
                counts += count(align(units_of(references[utterance], self.unit), units_of(found, self.unit)))
            return counts

        def search(pairs):
            # at least four units for each worker, so that none waits long for the others at the end
            number = max(-(-4 * workers // len(pairs)), -(-sum(lengths.values()) // CHUNK_FRAMES))
            parts = list(chunks(lengths, number))
            units = {(pair, index): (pair, part) for pair in pairs for index, part in enumerate(parts)}
            counts = {pair: Counts() for pair in pairs}
            left = dict.fromkeys(pairs, len(parts))
            for (pair, _), part_counts in run_units(search_chunk, units, workers=workers):
                counts[pair] += part_counts
                left[pair] -= 1
                if not left[pair]:
                    yield pair, counts[pair].wer

        return search


def best_of(wers: dict[Pair, float]) -> Pair:
    return ranked(wers)[0]


def ranked(wers: dict[Pair, float]) -> list[Pair]:
    return sorted(wers, key=lambda pair: (wers[pair], pair))


def next_of_climb(lm_scales: Sequence[float], prior_scales: Sequence[float], wers: dict[Pair, float]) -> list[Pair]:
    """The best pairs so far and up to eight neighbours of each in the grid; at first, its middle and neighbours.

    So a climb is over when no neighbour of the best pairs is better. They are ``CLIMBERS``, because error rates often
    have a second valley; see ``benchmarks/climb.py`` for what is lost. Steps are taken anew from the middle, so that a
    climb that was killed goes the same way.
    """
    axes = sorted(set(lm_scales)), sorted(set(prior_scales))
    best, known = [tuple(axis[len(axis) // 2] for axis in axes)], {}
    while True:
        wanted = set()
        for pair in best:
            at = zip(axes, map(list.index, axes, pair), strict=True)
            wanted.update(itertools.product(*(axis[max(index - 1, 0) : index + 2] for axis, index in at)))
        if not wanted <= wers.keys() or wanted <= known.keys():
            return sorted(wanted)
        known |= {pair: wers[pair] for pair in wanted}
        best = ranked(known)[:CLIMBERS]


def read_finished(path: str) -> dict[Pair, float]:
    """``(lm_scale, prior_scale) -> WER`` of the pairs searched so far."""
    entries = read_json(path) if os.path.exists(path) else []
    return {(entry["lm_scale"], entry["prior_scale"]): entry["wer"] for entry in entries}


def write_finished(path: str, wers: dict[Pair, float]):
    entries = [{"lm_scale": lm, "prior_scale": prior, "wer": wer} for (lm, prior), wer in wers.items()]
    write_json(path, entries)
