"""From a checkpoint to word error rates: posteriors once, scales tuned on dev, a set searched with the best pair."""

from __future__ import annotations

from dataclasses import dataclass

from sisyphus import tk

from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.scoring.score import ScoreJob
from ctc_kd.training.posteriors import PosteriorsJob


@dataclass(frozen=True)
class Posteriors:
    """Log posteriors of the sets, and the log prior over the training audio, of one checkpoint."""

    of: dict[str, tk.Path]
    prior: tk.Path


def posteriors(corpus: Corpus, preset: Preset, model: dict, checkpoint: tk.Path) -> Posteriors:
    """Of all sets that any table of the corpus reports."""
    sets = {name: corpus.audio[name] for name in corpus.recognised}
    job = PosteriorsJob(model=model, checkpoint=checkpoint, audio=sets, prior_audio=corpus.audio["train"])
    preset.place(job)
    return Posteriors(job.out_posteriors, job.out_prior)


def tuned_scales(corpus: Corpus, preset: Preset, found: Posteriors, scales: Scales) -> TuneScalesJob:
    """The full grid on dev."""
    return preset.place(
        TuneScalesJob(
            posteriors=found.of[corpus.dev],
            prior=found.prior,
            transcripts=corpus.transcripts[corpus.dev],
            lexicon=corpus.lexicon,
            lm=corpus.lm,
            lm_scales=list(scales.lm),
            prior_scales=list(scales.prior),
            search=preset.search,
        )
    )


def score(
    corpus: Corpus,
    preset: Preset,
    name: str,
    *,
    posteriors: tk.Path,
    prior: tk.Path,
    lm_scale: tk.Variable,
    prior_scale: tk.Variable,
) -> ScoreJob:
    """The word error rate of the set ``name``."""
    search = SearchJob(
        posteriors=posteriors,
        prior=prior,
        lexicon=corpus.lexicon,
        lm=corpus.lm,
        lm_scale=lm_scale,
        prior_scale=prior_scale,
        search=preset.search,
    )
    hypotheses = preset.place(search).out_hypotheses
    return preset.place(ScoreJob(hypotheses=hypotheses, references=corpus.transcripts[name]))
