"""Frame-level self-distillation for CTC (arXiv 2406.07909), its baselines, and controls that tell why it works."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from sisyphus import tk

from ctc_kd.analysis.alignment import AlignmentJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.labels import Labels, label_references
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.recognition import posteriors_of, recognised_at_best
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.self_kd_rows import CTC, Variant, against
from ctc_kd.experiments.significance import tested
from ctc_kd.report.self_kd import GREEDY, TUNED, SelfKdReportJob
from ctc_kd.scoring.label_errors import LabelErrorRateJob
from ctc_kd.scoring.score import ERROR_RATES
from ctc_kd.training.build import shortened, with_two_heads
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.posteriors import PosteriorsJob
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig
from ctc_kd.training.truncate import TruncateJob

TEACHER_SEED = 7
"""Of the separate teacher, so that no student begins with its weights."""


class Model(NamedTuple):
    """What is measured of one model: the student of a row, or the self-teacher above it.

    :param decoders: decoder -> ``dev`` and ``test`` -> counts of errors
    :param alignment: beside its teacher on test; None if it has none
    :param hypotheses: of the tuned search on test
    """

    decoders: dict[str, dict[str, tk.Path]]
    alignment: tk.Path | None
    hypotheses: tk.Path
    parameters: tk.Variable


def self_kd(
    corpus: Corpus,
    preset: Preset,
    depths: dict[int, Sequence[Variant]],
    *,
    name: str,
    model: dict[str, Any] | None = None,
    training: TrainingConfig | None = None,
    labels: Labels | None = None,
    seeds: Sequence[int] = (TrainingConfig.seed,),
):
    """Registers the report and the students' checkpoints under ``output/<name>/<corpus>/``.

    :param depths: number of layers of the student -> its rows
    :param model, training: of all layers; the preset's student if None
    :param labels: of the corpus, if they are no phonemes
    :param seeds: of the students; the separate teacher has another one
    :raises ValueError: it has one of them
    """
    if TEACHER_SEED in seeds:
        raise ValueError(f"seed {TEACHER_SEED} is that of the separate teacher, expected others in {list(seeds)}")
    grid = SelfKd(corpus, preset, model or preset.student, training or preset.student_training, labels)
    rows: dict[str, dict[int, Model]] = {"Separate teacher": {TEACHER_SEED: grid.plain(None, TEACHER_SEED)}}
    rows["All layers"] = {seed: grid.plain(None, seed) for seed in seeds}
    papers = {}
    for layer, variants in depths.items():
        for variant in variants:
            label = f"{variant.name}, {layer}"
            papers[label] = variant.paper
            for seed in seeds:
                for head, one in zip(("", ", last head"), grid.trained(variant, layer, seed), strict=False):
                    rows.setdefault(label + head, {})[seed] = one
    hypotheses = {label: [one.hypotheses for one in rows[label].values()] for label in papers}
    significance = tested(corpus, hypotheses, against=against(depths))
    report = SelfKdReportJob(
        title=f"Self-distillation: {corpus.name}",
        rate=ERROR_RATES[corpus.unit],
        rows=[
            {"label": label, "seed": seed, "decoders": one.decoders, "alignment": one.alignment}
            for label, models in rows.items()
            for seed, one in models.items()
        ],
        students=list(papers),
        parameters={label: next(iter(models.values())).parameters for label, models in rows.items()},
        papers={label: paper for label, paper in papers.items() if paper is not None},
        significance=significance,
        notes=list(NOTES),
    )
    outputs = {"report": report.out_report, "significance.json": significance, **grid.students}
    folder = f"{name}/{corpus.name}"
    register_outputs({f"{folder}/{path}": output for path, output in outputs.items()}, requests=preset.requests)


class SelfKd:
    """What all rows share: the separate teacher, its dump, and how a model is trained and measured."""

    def __init__(
        self, corpus: Corpus, preset: Preset, model: dict[str, Any], training: TrainingConfig, labels: Labels | None
    ):
        self.corpus = corpus
        self.preset = preset
        self.model = model
        self.training = training
        self.labels = labels
        self.audio = list(corpus.student_audio) or [corpus.audio["train"]]
        self.students: dict[str, tk.Path] = {}
        """File to register -> checkpoint of a student that leaves its teacher."""

    @cached_property
    def teacher(self) -> TrainJob:
        return self._train(self.model, CTC, TEACHER_SEED)

    @cached_property
    def teacher_logits(self) -> tk.Path:
        corpus, teacher = self.corpus, self.teacher
        audio = [*self.audio, corpus.audio[corpus.validation]]
        dump = DumpLogitsJob(
            model=teacher.model, checkpoint=teacher.checkpoint(), audio=audio, inventory=corpus.inventory
        )
        return dump.out_logits

    @cached_property
    def teacher_posteriors(self) -> PosteriorsJob:
        return posteriors_of(self.corpus, self.model, self.teacher.checkpoint())

    def references(self, name: str) -> tk.Path:
        """Label sequences of a set."""
        return label_references(self.corpus, self.preset, name, self.labels)

    def plain(self, layer: int | None, seed: int) -> Model:
        """CTC alone.

        :param layer: number of layers; None for all
        """
        model = self.model if layer is None else shortened(self.model, layer)
        training = self._train(model, CTC, seed)
        posteriors = posteriors_of(self.corpus, model, training.checkpoint())
        teacher = None if training is self.teacher else self.teacher_posteriors
        return self._measured(posteriors, training.out_num_parameters, teacher=teacher)

    def trained(self, variant: Variant, layer: int, seed: int) -> list[Model]:
        """The student of ``layer`` layers, and behind it the self-teacher if there is one."""
        if not variant.two_heads:
            return [self._with_teacher(variant, layer, seed)]
        model = with_two_heads(self.model, layer)
        training = self._train(model, variant.criterion, seed)
        student = TruncateJob(model=model, checkpoint=training.checkpoint(), inventory=self.corpus.inventory)
        name = re.sub(r"[^a-z0-9.+-]+", "_", variant.name.lower())
        self.students[f"students/{name}-l{layer}-s{seed}.pt"] = student.out_checkpoint
        below = posteriors_of(self.corpus, student.truncated, student.out_checkpoint)
        above = posteriors_of(self.corpus, model, training.checkpoint())
        return [
            self._measured(below, student.out_num_parameters, teacher=above),
            self._measured(above, training.out_num_parameters, teacher=None),
        ]

    def _with_teacher(self, variant: Variant, layer: int, seed: int) -> Model:
        if not variant.has_teacher:
            return self.plain(layer, seed)
        model = shortened(self.model, layer)
        training = self._train(model, variant.criterion, seed, teacher_logits=self.teacher_logits)
        posteriors = posteriors_of(self.corpus, model, training.checkpoint())
        return self._measured(posteriors, training.out_num_parameters, teacher=self.teacher_posteriors)

    def _train(self, model: dict, criterion: dict, seed: int, *, teacher_logits: tk.Path | None = None) -> TrainJob:
        corpus = self.corpus
        return TrainJob(
            model=model,
            criterion=criterion,
            training=replace(self.training, seed=seed),
            audio=self.audio,
            dev_audio=corpus.audio[corpus.validation],
            labels=corpus.labels["train"],
            dev_labels=corpus.labels[corpus.validation],
            teacher_logits=teacher_logits,
            inventory=corpus.inventory,
        )

    def _measured(self, posteriors: PosteriorsJob, parameters: tk.Variable, *, teacher: PosteriorsJob | None) -> Model:
        """:param teacher: to compare alignments with"""
        corpus = self.corpus
        sets = {"dev": corpus.dev, "test": corpus.test}
        found = recognised_at_best(corpus, self.preset, posteriors, sets.values())
        greedy = {
            on: LabelErrorRateJob(hypotheses=posteriors.out_posteriors[part], references=self.references(part))
            for on, part in sets.items()
        }
        alignment = teacher and AlignmentJob(
            student=posteriors.out_posteriors[corpus.test], teacher=teacher.out_posteriors[corpus.test]
        )
        decoders = {
            TUNED: {on: found[part].score.out_counts for on, part in sets.items()},
            GREEDY: {on: job.out_counts for on, job in greedy.items()},
        }
        hypotheses = found[corpus.test].search.out_hypotheses
        return Model(decoders, alignment and alignment.out_alignment, hypotheses, parameters)


NOTES = (
    "The number behind a row is that of the student's layers. “Last head” is the self-teacher above it.",
    "Layer pruning trains the first layers with CTC alone. Softmax KD and Guide-CTC learn from the separate teacher, "
    "which has all layers and a seed of its own.",
    "The paper's numbers are WER on LibriSpeech test-clean; its encoder, depth and training set are not known to us: "
    "they show an order and cannot be compared with ours.",
)
