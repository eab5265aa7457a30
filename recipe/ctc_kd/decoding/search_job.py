"""Recognition of a whole set with fixed scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.frames import FRAME_SHIFT_S

if TYPE_CHECKING:
    from ctc_kd.decoding.stored import StoredSet

CHUNKS_PER_WORKER = 8


class SearchJob(Job):
    """Finds the words of every utterance from its posteriors.

    :param posteriors: HDF of log posteriors
    :param prior: log prior, text
    :param lexicon: for the search; None to find what the labels spell
    :param lm: KenLM model of words, or of labels without a lexicon; None for the best path, without a lexicon, too
    :param lm_scale: number, or Variable such as ``TuneScalesJob.out_lm_scale``
    :param prior_scale: number, or Variable

    ``out_hypotheses``: transcript file. ``out_rtf``: real-time factor of the search on one core (CPU seconds per second
    of audio).

    The number of worker processes is ``rqmt["cpu"]``.
    """

    def __init__(
        self,
        *,
        posteriors: tk.Path,
        prior: tk.Path,
        lexicon: tk.Path | None,
        lm: tk.Path | None,
        lm_scale: float | tk.Variable,
        prior_scale: float | tk.Variable,
        search: SearchConfig,
    ):
        self.posteriors = posteriors
        self.prior = prior
        self.lexicon = lexicon
        self.lm = lm
        self.lm_scale = lm_scale
        self.prior_scale = prior_scale
        self.search = search
        self.out_hypotheses = self.output_path("hypotheses.txt")
        self.out_rtf = self.output_var("rtf")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.corpus.transcripts import write_transcripts
        from ctc_kd.decoding.stored import StoredSet
        from ctc_kd.decoding.workers import chunks, run_units
        from ctc_kd.store import read_metadata

        stored = StoredSet(
            posteriors=self.posteriors, prior=self.prior, lexicon=self.lexicon, lm=self.lm, config=self.search
        )
        lengths = stored.lengths
        units = dict(enumerate(chunks(lengths, CHUNKS_PER_WORKER * self.rqmt["cpu"])))
        hypotheses, seconds = {}, 0.0
        for _, (found, cpu_seconds) in run_units(self._search_function(stored), units, workers=self.rqmt["cpu"]):
            hypotheses.update(found)
            seconds += cpu_seconds
            print(f"{len(hypotheses)}/{len(lengths)} utterances", flush=True)
        frame_shift_s = read_metadata(self.posteriors.get_path()).get("frame_shift_s", FRAME_SHIFT_S)
        rtf = seconds / (sum(lengths.values()) * frame_shift_s)
        print(f"real-time factor of the search on one core: {rtf:.4f}")
        write_transcripts(self.out_hypotheses.get_path(), {utterance: hypotheses[utterance] for utterance in lengths})
        self.out_rtf.set(rtf)

    def _search_function(self, stored: StoredSet):
        """``utterances -> ({utterance: words}, CPU seconds)``"""
        import time

        scales = {"lm_scale": _value(self.lm_scale), "prior_scale": _value(self.prior_scale)}

        def search_chunk(utterances):
            start = time.process_time()
            found = {utterance: stored.search(utterance, **scales) for utterance in utterances}
            return found, time.process_time() - start

        return search_chunk


def _value(scale: float | tk.Variable) -> float:
    return scale.get() if isinstance(scale, tk.Variable) else scale
