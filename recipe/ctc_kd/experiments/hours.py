"""How many hours without transcripts replace an hour with them: students of the same audio, with and without labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sisyphus import tk

from ctc_kd.corpus.sets import SampleHoursJob
from ctc_kd.experiments.corpora import Corpus, Labelled, archive
from ctc_kd.experiments.distillation import Distillation, RecordedRow
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row
from ctc_kd.experiments.significance import MARGIN
from ctc_kd.report.hours import HoursReportJob
from ctc_kd.report.names import short_name
from ctc_kd.scoring.exchange import ExchangeJob
from ctc_kd.scoring.score import ERROR_RATES
from ctc_kd.training.build import is_finished
from ctc_kd.training.training_config import TrainingConfig

BUDGETS = ("equal updates", "equal passes")
"""What students of unlike hours have in common: with equal updates, those of the fewest hours hear them most often."""

WITHOUT_TRANSCRIPTS = (
    Row("all", 1.0),
    Row("symmetric", 1.0, 1),
    Row("eliminate", 1.0),
    Row("sequence", 1.0, 1),
    Row("frames_and_path", 1.0, 0.5),
)

NOTES = [
    "“Baseline” is CTC on the transcripts of the same audio. All other rows read no transcripts; they learn from one "
    "teacher, which is the same for all hours.",
    "Hours are nested samples of one set of recordings. More hours are more sentences, not more speakers.",
]
OF_OWN_AUDIO = (
    "The teacher was fine-tuned on this audio with its transcripts, so it knows more of it than of audio that nobody "
    "has transcribed."
)

Curves = dict[str, list[tuple[float, list[RecordedRow]]]]
"""Name of a row in tables -> (hours, its students in the order of seeds)."""


def worth_of_hours(
    corpus: Corpus,
    preset: Preset,
    audio: Labelled,
    *,
    hours: Sequence[float],
    seeds: Sequence[int],
    name: str,
    budgets: Sequence[str] = BUDGETS,
    rows: Sequence[Row] = WITHOUT_TRANSCRIPTS,
) -> tk.Path:
    """Registers the report and the records under ``output/<name>/<corpus>/``, and returns the report.

    :param audio: what students learn from. Only the baseline reads its labels
    :param hours: of samples of this audio, multiples of the fewest; 1 is among them
    :param rows: with lambda = 1
    :raises ValueError: hours, budgets or rows are none of those
    """
    hours = [float(number) for number in hours]
    check(hours, budgets, rows)
    folder, outputs, exchanges = f"{name}/{corpus.name}", {}, {}
    for budget in budgets:
        curves = curves_of(corpus, preset, audio, hours, rows, seeds, budget)
        exchanges[budget.capitalize()] = exchange(corpus, curves)
        for curve in curves.values():
            for number, students in curve:
                place = f"{folder}/records/{budget.replace(' ', '_')}/{number:g}h"
                outputs |= {f"{place}/{one.record.row['row']}.json": one.record.out_record for one in students}
    teacher = None
    if not is_finished(preset.teacher):
        chain = Distillation(corpus, preset)
        teacher = chain.recorded(chain.trained(TEACHER)).record.out_record
        outputs[f"{folder}/records/{TEACHER.name}.json"] = teacher
    has_heard = teacher is not None and audio.cuts == corpus.cuts["train"]
    report = HoursReportJob(
        title=f"What audio without transcripts is worth: {corpus.name}",
        rate=ERROR_RATES[corpus.unit],
        budgets=exchanges,
        notes=[*NOTES, *([OF_OWN_AUDIO] if has_heard else []), *preset.notes],
        teacher=teacher,
    )
    outputs[f"{folder}/report"] = report.out_report
    register_outputs(outputs, requests=preset.requests)
    return report.out_report


def check(hours: Sequence[float], budgets: Sequence[str], rows: Sequence[Row]):
    """:raises ValueError: see :func:`worth_of_hours`"""
    parts = [number / min(hours) for number in hours]
    if 1.0 not in hours or any(not math.isclose(part, round(part)) for part in parts):
        raise ValueError(f"hours {list(hours)}: expected multiples of the fewest, with 1 among them")
    if unknown := sorted(set(budgets) - set(BUDGETS)):
        raise ValueError(f"there is no budget {', '.join(unknown)}; expected some of {', '.join(BUDGETS)}")
    if wrong := [row.name for row in rows if row.weight != 1]:
        raise ValueError(f"{', '.join(wrong)}: expected lambda 1, which reads no transcripts")


def curves_of(
    corpus: Corpus,
    preset: Preset,
    audio: Labelled,
    hours: Sequence[float],
    rows: Sequence[Row],
    seeds: Sequence[int],
    budget: str,
) -> Curves:
    """The students of all rows and hours with one budget."""
    curves: Curves = {}
    for number in hours:
        parts = round(number / min(hours)) if budget == "equal updates" else 1
        found = students_of(corpus, with_budget(preset, parts, budget), audio, number, rows, seeds)
        for label, students in found.items():
            curves.setdefault(label, []).append((number, students))
    return curves


def exchange(corpus: Corpus, curves: Curves) -> tk.Path:
    """At how many hours each curve is as good as the baseline at one hour, on test."""
    return ExchangeJob(
        references=corpus.transcripts[corpus.test],
        cuts=corpus.cuts[corpus.test],
        curves={
            label: [(hours, [one.found_on_test for one in students]) for hours, students in curve]
            for label, curve in curves.items()
        },
        reference=short_name(BASELINE),
        target=1.0,
        inventory=corpus.inventory,
        unit=corpus.unit,
        margin=MARGIN,
    ).out_exchange


def with_budget(preset: Preset, parts: int, budget: str) -> Preset:
    """The preset whose students and baseline hear a part of the data in each sub-epoch.

    :param parts: sub-epochs in a pass over these hours, instead of the preset's
    :param budget: which names its students
    """

    def divided(training: TrainingConfig) -> TrainingConfig:
        return replace(training, partition_epoch=parts)

    return replace(
        preset,
        name=f"{preset.name}-{budget.replace(' ', '-')}",
        student_training=divided(preset.student_training),
        baseline_training=divided(preset.baseline_training or preset.student_training),
    )


def students_of(
    corpus: Corpus, preset: Preset, audio: Labelled, hours: float, rows: Sequence[Row], seeds: Sequence[int]
) -> dict[str, list[RecordedRow]]:
    """Name of a row in tables -> its students in the order of seeds; the baseline is the first."""
    sample = archive(preset, SampleHoursJob(cuts=audio.cuts, hours=hours).out_cuts)
    untranscribed = replace(corpus, name=f"{corpus.name}-{hours:g}h", student_audio=(sample,))
    transcribed = replace(
        untranscribed, name=f"{untranscribed.name}-transcribed", labels={**corpus.labels, "train": audio.labels}
    )
    found: dict[str, list[RecordedRow]] = {}
    for variant, some in ((transcribed, [BASELINE]), (untranscribed, rows)):
        chain = Distillation(variant, preset)
        found |= {short_name(row): chain.recorded_seeds(row, seeds) for row in some}
    return found
