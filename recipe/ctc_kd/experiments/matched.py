"""Plain KD with the weight at which it counts as much beside CTC as symmetric selection does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sisyphus import tk

from ctc_kd.analysis.loss_ratio import MatchedWeightJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.row_analysis import analysed
from ctc_kd.experiments.rows import Row, with_seeds
from ctc_kd.experiments.significance import MARGIN, tested
from ctc_kd.report.differences import DifferencesReportJob

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
    like: tuple[str, float | None] = ("symmetric", 1),
    teacher: Sequence[Row] = (),
):
    """Trains ``like`` and plain KD at each weight; then plain KD with the matched weight, and reports on all of them.

    :param presets: setting -> preset
    :param weights: below 1
    :param like: method and hyper-parameter of the rows that say how much KD should count
    :param teacher: the teacher's row, if it has one
    """
    jobs = {
        (setting, weight): matched_weight(Distillation(corpus, preset), weight, seeds, like)
        for setting, preset in presets.items()
        for weight in weights
    }
    await tk.async_run([job.out_weight for job in jobs.values()])
    settings = {}
    for setting, preset in presets.items():
        found = {weight: jobs[setting, weight].out_weight.get() for weight in weights}
        rows = [Row(like[0], weight, like[1]) for weight in weights]
        rows += [Row("all", weight) for weight in dict.fromkeys([*weights, *found.values()])]
        chain = Distillation(corpus, preset)
        analysed(chain, [*teacher, *with_seeds(rows, seeds)], folder=f"{name}/{setting}/{corpus.name}")
        for weight, matched in found.items():
            best = "KD, λ matched"
            compared = {
                best: Row("all", matched),
                "KD at λ": Row("all", weight),
                "selection at λ": Row(like[0], weight, like[1]),
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
    requests = next(iter(presets.values())).requests
    register_outputs({f"{name}/{corpus.name}/report": report.out_report}, requests=requests)


def matched_weight(
    chain: Distillation, weight: float, seeds: Sequence[int], like: tuple[str, float | None]
) -> MatchedWeightJob:
    plain, theirs = (
        [chain.student(replace(row, seed=seed)).out_curves for seed in seeds]
        for row in (Row("all", weight), Row(like[0], weight, like[1]))
    )
    return MatchedWeightJob(weight=weight, curves=plain, like=theirs)
