"""From a checkpoint to a scored row: posteriors once, scales tuned on dev, dev and test searched with the best pair."""

from __future__ import annotations

from dataclasses import dataclass

from sisyphus import tk

from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset
from ctc_kd.scoring.score import ScoreJob
from ctc_kd.training.posteriors import PosteriorsJob


@dataclass(frozen=True)
class Posteriors:
    """Log posteriors of the sets, and the log prior over the training audio, of one checkpoint."""

    of: dict[str, tk.Path]
    prior: tk.Path


def posteriors(corpus: Corpus, preset: Preset, model: dict, checkpoint: tk.Path) -> Posteriors:
    sets = {name: corpus.audio[name] for name in ("dev", "test")}
    job = PosteriorsJob(model=model, checkpoint=checkpoint, audio=sets, prior_audio=corpus.audio["train"])
    preset.place(job)
    return Posteriors(job.out_posteriors, job.out_prior)


def tuned_scales(corpus: Corpus, preset: Preset, found: Posteriors) -> TuneScalesJob:
    """The full grid on dev."""
    return preset.place(
        TuneScalesJob(
            posteriors=found.of["dev"],
            prior=found.prior,
            transcripts=corpus.transcripts["dev"],
            lexicon=corpus.lexicon,
            lm=corpus.lm,
            lm_scales=list(preset.lm_scales),
            prior_scales=list(preset.prior_scales),
            search=preset.search,
        )
    )


def scores(corpus: Corpus, preset: Preset, found: Posteriors, scales: TuneScalesJob) -> dict[str, ScoreJob]:
    """Word error rates of dev and test with the scales that were best on dev."""
    result = {}
    for name, emissions in found.of.items():
        search = SearchJob(
            posteriors=emissions,
            prior=found.prior,
            lexicon=corpus.lexicon,
            lm=corpus.lm,
            lm_scale=scales.out_lm_scale,
            prior_scale=scales.out_prior_scale,
            search=preset.search,
        )
        hypotheses = preset.place(search).out_hypotheses
        result[name] = preset.place(ScoreJob(hypotheses=hypotheses, references=corpus.transcripts[name]))
    return result
