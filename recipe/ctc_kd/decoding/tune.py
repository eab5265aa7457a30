"""The scales of language model and prior, chosen on dev."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

from sisyphus import Job, Task, tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.files import read_json, write_json
from ctc_kd.scoring.score import ERROR_RATES, check_unit

FINISHED = "finished.json"
CHUNK_FRAMES = 30_000
"""A worker's unit of work is at most 20 minutes of audio at 25 Hz."""


class TuneScalesJob(Job):
    """Searches dev with every pair of the two scales and picks the pair with the lowest error rate.

    Among pairs with equal error rates, the smaller language model scale wins, then the smaller prior scale.

    :param posteriors: HDF of log posteriors
    :param prior: log prior, text
    :param transcripts: references of the same utterances
    :param lexicon, lm: as in :class:`ctc_kd.decoding.search_job.SearchJob`
    :param lm_scales: for base-10 log probabilities, see :class:`ctc_kd.decoding.search.LexiconDecoder`
    :param prior_scales: see :func:`ctc_kd.decoding.posteriors.emissions`
    :param unit: of the errors, see :func:`ctc_kd.scoring.score.units_of`

    ``out_lm_scale``, ``out_prior_scale``: the best pair. ``out_grid``: JSON list of ``lm_scale, prior_scale, wer``.

    The number of worker processes is ``rqmt["cpu"]``. A restarted job keeps the pairs that were finished.
    """

    __sis_hash_exclude__ = {"unit": "words"}

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
        self.out_lm_scale = self.output_var("lm_scale")
        self.out_prior_scale = self.output_var("prior_scale")
        self.out_grid = self.output_path("grid.json")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def grid(self) -> list[tuple[float, float]]:
        """All ``(lm_scale, prior_scale)`` pairs, in order."""
        return sorted(itertools.product(set(self.lm_scales), set(self.prior_scales)))

    def completed_fraction(self) -> float:
        return len(read_finished(os.path.join(self.work_path(), FINISHED))) / len(self.grid())

    def run(self):
        wers, rate = read_finished(FINISHED), ERROR_RATES[self.unit]
        missing = [pair for pair in self.grid() if pair not in wers]
        print(f"{len(self.grid())} pairs of scales, {len(missing)} to search", flush=True)
        if missing:
            for pair, wer in self._search(missing):
                wers[pair] = wer
                write_finished(FINISHED, wers)
                print(f"{len(wers)}/{len(self.grid())}: LM {pair[0]}, prior {pair[1]}: {rate} {wer:.2f} %", flush=True)

        best = min(self.grid(), key=lambda pair: (wers[pair], pair))
        print(f"best: LM {best[0]}, prior {best[1]}: {rate} {wers[best]:.2f} %")
        for name, value, values in zip(("LM", "prior"), best, (self.lm_scales, self.prior_scales), strict=True):
            if len(set(values)) > 1 and value in (min(values), max(values)):
                print(f"note: the best {name} scale is at the edge of the grid; a wider grid may have a better pair")
        write_finished(self.out_grid.get_path(), {pair: wers[pair] for pair in self.grid()})
        self.out_lm_scale.set(best[0])
        self.out_prior_scale.set(best[1])

    def _search(self, pairs):
        """Yield ``(pair, WER)`` as the pairs get finished."""
        from ctc_kd.corpus.transcripts import read_transcripts
        from ctc_kd.decoding.stored import StoredSet
        from ctc_kd.decoding.workers import chunks, run_units
        from ctc_kd.scoring.alignment import Counts, align, count
        from ctc_kd.scoring.score import check_utterances, units_of

        stored = StoredSet(
            posteriors=self.posteriors, prior=self.prior, lexicon=self.lexicon, lm=self.lm, config=self.search
        )
        normalised, lengths = stored.inventory.normalised, stored.lengths
        references = read_transcripts(self.transcripts.get_path(), normalised)
        check_utterances(references, lengths, names=(self.transcripts.get_path(), self.posteriors.get_path()))

        def search_chunk(unit) -> Counts:
            (lm_scale, prior_scale), utterances = unit
            counts = Counts()
            for utterance in utterances:
                found = normalised(stored.search(utterance, lm_scale=lm_scale, prior_scale=prior_scale))
                counts += count(align(units_of(references[utterance], self.unit), units_of(found, self.unit)))
            return counts

        workers = self.rqmt["cpu"]
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


def read_finished(path: str) -> dict[tuple[float, float], float]:
    """``(lm_scale, prior_scale) -> WER`` of the pairs searched so far."""
    entries = read_json(path) if os.path.exists(path) else []
    return {(entry["lm_scale"], entry["prior_scale"]): entry["wer"] for entry in entries}


def write_finished(path: str, wers: dict[tuple[float, float], float]):
    entries = [{"lm_scale": lm, "prior_scale": prior, "wer": wer} for (lm, prior), wer in wers.items()]
    write_json(path, entries)
