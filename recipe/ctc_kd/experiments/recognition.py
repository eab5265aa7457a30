"""From a checkpoint to word error rates: computes posteriors once, tunes scales on dev, searches with the best pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.scoring.score import ScoreJob
from ctc_kd.training.posteriors import PosteriorsJob

UNSCALED = Scales(lm=(0.0,), prior=(0.0,))


class Recognised(NamedTuple):
    """One set, searched and scored."""

    search: SearchJob
    score: ScoreJob


def posteriors_of(corpus: Corpus, model: dict, checkpoint: tk.Path | None) -> PosteriorsJob:
    """Computes the posteriors of all sets that appear in a table of the corpus.

    :param checkpoint: None for a finished model
    """
    return PosteriorsJob(
        model=model,
        checkpoint=checkpoint,
        audio={name: corpus.audio[name] for name in corpus.recognised},
        prior_audio=corpus.audio[corpus.prior],
        inventory=corpus.inventory,
    )


def tuned_scales(
    corpus: Corpus, preset: Preset, name: str, *, posteriors: PosteriorsJob, scales: Scales
) -> TuneScalesJob:
    """Searches the grid of scales on the set ``name``; the best path has no scales to choose."""
    if corpus.lm is None:
        scales = UNSCALED
    return TuneScalesJob(
        posteriors=posteriors.out_posteriors[name],
        prior=posteriors.out_prior,
        transcripts=corpus.transcripts[name],
        lexicon=corpus.lexicon,
        lm=corpus.lm,
        lm_scales=list(scales.lm),
        prior_scales=list(scales.prior),
        search=preset.search,
        unit=corpus.unit,
        climb=scales.climb,
    )


def recognised(
    corpus: Corpus,
    preset: Preset,
    name: str,
    *,
    posteriors: tk.Path,
    prior: tk.Path,
    lm_scale: tk.Variable,
    prior_scale: tk.Variable,
) -> Recognised:
    """Search and score the set ``name``."""
    search = SearchJob(
        posteriors=posteriors,
        prior=prior,
        lexicon=corpus.lexicon,
        lm=corpus.lm,
        lm_scale=lm_scale,
        prior_scale=prior_scale,
        search=preset.search,
    )
    score = ScoreJob(
        hypotheses=search.out_hypotheses,
        references=corpus.transcripts[name],
        inventory=corpus.inventory,
        unit=corpus.unit,
    )
    return Recognised(search, score)


def recognised_at_best(
    corpus: Corpus, preset: Preset, posteriors: PosteriorsJob, sets: Iterable[str]
) -> dict[str, Recognised]:
    """Each set, with the scales that are best on dev."""
    scales = tuned_scales(corpus, preset, corpus.dev, posteriors=posteriors, scales=preset.scales)
    return {
        name: recognised(
            corpus,
            preset,
            name,
            posteriors=posteriors.out_posteriors[name],
            prior=posteriors.out_prior,
            lm_scale=scales.out_lm_scale,
            prior_scale=scales.out_prior_scale,
        )
        for name in sets
    }


def error_rates(
    corpus: Corpus, preset: Preset, posteriors: PosteriorsJob, sets: Sequence[str]
) -> dict[str, tk.Variable]:
    """The error rate of each set, with the scales that are best on dev."""
    if not sets:
        return {}
    found = recognised_at_best(corpus, preset, posteriors, sets)
    return {name: one.score.out_wer for name, one in found.items()}
