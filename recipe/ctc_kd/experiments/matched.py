"""Plain KD with the weight at which it counts as much beside CTC as symmetric selection does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sisyphus import tk

from ctc_kd.analysis.loss_ratio import MatchedWeightJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.labels import Labels
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.row_analysis import analysed
from ctc_kd.experiments.rows import Row, with_seeds
from ctc_kd.experiments.significance import MARGIN, tested
from ctc_kd.report.differences import DifferencesReportJob

LIKE = "symmetric", 1
"""Method and hyper-parameter of the rows that say how much KD should count."""

NOTES = [
    "The first line is plain KD with the weight at which its loss, divided by the CTC loss, is that of symmetric "
    "selection at λ. The losses are those of trainings at λ, so the match is not exact.",
]


async def matched_weights(
    corpus: Corpus,
    presets: dict[str, Preset],
    *,
    weights: Sequence[float],
    seeds: Sequence[int],
    name: str,
    teacher: Sequence[Row] = (),
    labels: Labels | None = None,
):
    """Trains :data:`LIKE` and plain KD at each weight; then plain KD with the matched weight, and reports on all.

    :param presets: setting -> preset
    :param weights: below 1
    :param teacher: the teacher's row, if it has one
    :param labels: of the corpus if they spell words; None for phonemes
    """
    requests = next(iter(presets.values())).requests
    jobs = {
        (setting, weight): matched_weight(Distillation(corpus, preset), weight, seeds)
        for setting, preset in presets.items()
        for weight in weights
    }
    place = f"{name}/{corpus.name}/weights"
    outputs = {f"{place}/{setting}-l{weight:g}": job.out_weight for (setting, weight), job in jobs.items()}
    register_outputs(outputs, requests=requests)  # which also says what the jobs request
    await tk.async_run([job.out_weight for job in jobs.values()])
    settings = {}
    for setting, preset in presets.items():
        found = {weight: jobs[setting, weight].out_weight.get() for weight in weights}
        rows = [Row(LIKE[0], weight, LIKE[1]) for weight in weights]
        rows += [Row("all", weight) for weight in dict.fromkeys([*weights, *found.values()])]
        chain = Distillation(corpus, preset)
        folder = f"{name}/{setting}/{corpus.name}"
        analysed(chain, [*teacher, *with_seeds(rows, seeds)], folder=folder, labels=labels)
        for weight, matched in found.items():
            best = "KD, λ matched"
            compared = {
                best: Row("all", matched),
                "KD at λ": Row("all", weight),
                "selection at λ": Row(LIKE[0], weight, LIKE[1]),
            }
            hypotheses = {
                label: [one.found_on_test for one in chain.recorded_seeds(row, seeds)]
                for label, row in compared.items()
            }
            against = {label: [best] for label in compared if label != best}
            significance = tested(corpus, hypotheses, against=against, margin=MARGIN)
            settings[f"{setting}, λ = {weight:g}, matched {matched:g}"] = significance
    report = DifferencesReportJob(
        title=f"Plain KD that counts as much as selection: {corpus.name}", settings=settings, kicker="λ", notes=NOTES
    )
    register_outputs({f"{name}/{corpus.name}/report": report.out_report}, requests=requests)


def matched_weight(chain: Distillation, weight: float, seeds: Sequence[int]) -> MatchedWeightJob:
    plain, theirs = (
        [chain.student(replace(row, seed=seed)).out_curves for seed in seeds]
        for row in (Row("all", weight), Row(LIKE[0], weight, LIKE[1]))
    )
    return MatchedWeightJob(weight=weight, curves=plain, like=theirs)
