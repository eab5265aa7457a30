"""Distillation on one corpus: the teacher and its dump, and the chain of jobs from a row to its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.published import published_wer
from ctc_kd.experiments.recognition import Posteriors, posteriors, score, tuned_scales
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row
from ctc_kd.report.record import RecordJob
from ctc_kd.training.checkpoints import AverageCheckpointsJob, SelectCheckpointJob
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.train import TrainingConfig, TrainJob


class TrainedRow(NamedTuple):
    """A row up to the scales that are best on dev."""

    row: Row
    training: TrainJob
    posteriors: Posteriors
    scales: TuneScalesJob


class Distillation:
    """All that the rows of one corpus share: the teacher, its dump, and how a student is trained and scored."""

    def __init__(self, corpus: Corpus, preset: Preset):
        self.corpus = corpus
        self.preset = preset
        self.student_audio = corpus.student_audio or (corpus.audio["train"],)

    @cached_property
    def teacher_training(self) -> TrainJob:
        preset, audio = self.preset, (self.corpus.audio["train"],)
        return self._train(preset.teacher, preset.teacher_training, {"kd_scale": 0.0}, audio=audio, labels=True)

    @cached_property
    def teacher_checkpoint(self) -> tk.Path:
        training, preset = self.teacher_training, self.preset
        if not preset.teacher_candidates:
            mean = AverageCheckpointsJob(models=training.out_models, curves=training.out_curves, score="dev_loss_ctc")
            return preset.place(mean).out_checkpoint
        checkpoints = [training.checkpoint(epoch) for epoch in preset.teacher_candidates]
        grids = []
        for checkpoint in checkpoints:
            found = posteriors(self.corpus, preset, preset.teacher, checkpoint)
            grids.append(self._tuned(TEACHER, found).out_grid)
        return preset.place(SelectCheckpointJob(checkpoints=checkpoints, grids=grids)).out_checkpoint

    @cached_property
    def teacher_posteriors(self) -> Posteriors:
        return posteriors(self.corpus, self.preset, self.preset.teacher, self.teacher_checkpoint)

    @cached_property
    def teacher_logits(self) -> tk.Path:
        audio = [*self.student_audio, self.corpus.audio[self.corpus.validation]]
        job = DumpLogitsJob(model=self.preset.teacher, checkpoint=self.teacher_checkpoint, audio=audio)
        job.add_alias(self._alias(TEACHER, "dump"))
        return self.preset.place(job).out_logits

    def _train(
        self,
        model: dict,
        training: TrainingConfig,
        criterion: dict,
        *,
        audio: Sequence[tk.Path],
        labels: bool,
        teacher_logits: tk.Path | None = None,
    ) -> TrainJob:
        corpus = self.corpus
        job = TrainJob(
            model=model,
            criterion=criterion,
            training=training,
            audio=audio[0],
            more_audio=tuple(audio[1:]),
            dev_audio=corpus.audio[corpus.validation],
            labels=corpus.labels["train"] if labels else None,
            dev_labels=corpus.labels[corpus.validation] if labels else None,
            teacher_logits=teacher_logits,
        )
        return self.preset.place(job)

    def _alias(self, row: Row, name: str) -> str:
        return f"{self.preset.name}/{self.corpus.name}/{row.name}/{name}"

    def _tuned(self, row: Row, found: Posteriors) -> TuneScalesJob:
        scales = self.preset.teacher_scales if row == TEACHER else None
        return tuned_scales(self.corpus, self.preset, found, scales or self.preset.scales)

    def normalisation(self, row: Row) -> str:
        plain = row.method == "all" and row.weight < 1.0
        return self.preset.plain_normalisation if plain else self.preset.normalisation

    def student(self, row: Row) -> TrainJob:
        """Training of a row; at lambda = 1 without any input that depends on transcripts."""
        preset = self.preset
        model, training = preset.student, preset.student_training
        if row.method == BASELINE.method:
            model, training = preset.baseline or model, preset.baseline_training or training
        if row.seed is not None:
            training = replace(training, seed=row.seed)
        if row.method == BASELINE.method:
            return self._train(model, training, {"kd_scale": 0.0}, audio=self.student_audio, labels=True)
        criterion = {
            "kd_scale": row.weight,
            "temperature": preset.temperature,
            "normalisation": self.normalisation(row),
            "selection": row.selection,
        }
        if row.method == "prior":
            criterion["log_prior"] = self.teacher_posteriors.prior
        return self._train(
            model,
            training,
            criterion,
            audio=self.student_audio,
            labels=row.weight < 1.0,
            teacher_logits=self.teacher_logits,
        )

    def trained(self, row: Row) -> TrainedRow:
        """Train, forward, tune one row."""
        if row == TEACHER:
            training, found = self.teacher_training, self.teacher_posteriors
        else:
            training = self.student(row)
            found = posteriors(self.corpus, self.preset, training.model, training.checkpoint())
        scales = self._tuned(row, found)
        for name, job in (("train", training), ("posteriors", found.prior.creator), ("tune", scales)):
            job.add_alias(self._alias(row, name))
        return TrainedRow(row, training, found, scales)

    def record(self, trained: TrainedRow, sets: Sequence[str] = ("dev", "test")) -> RecordJob:
        """Search and score ``sets`` with the scales that are best on dev."""
        row, training, found, scales = trained
        corpus, preset = self.corpus, self.preset
        distilled = row.method not in (TEACHER.method, BASELINE.method)
        facts = {
            "corpus": corpus.name,
            "preset": preset.name,
            "row": row.name,
            "method": row.method,
            "parameter": row.parameter,
            "weight": row.weight,
            "temperature": preset.temperature if distilled else None,
            "normalisation": self.normalisation(row) if distilled else None,
            "seed": training.training.seed,
            "published": published_wer(corpus.name, row.method, row.weight),
            "uses_transcripts": training.labels is not None,
        }
        job_ids = {"posteriors": found.prior.creator.job_id()}
        if distilled:
            job_ids["teacher logits"] = self.teacher_logits.creator.job_id()
        best = {"lm_scale": scales.out_lm_scale, "prior_scale": scales.out_prior_scale}
        scores = {}
        for name in sets:
            set_name = getattr(corpus, name)
            job = score(corpus, preset, set_name, posteriors=found.of[set_name], prior=found.prior, **best)
            job.hypotheses.creator.add_alias(self._alias(row, f"search-{name}"))
            job.add_alias(self._alias(row, f"score-{name}"))
            scores[name] = job.out_counts
        record = RecordJob(
            row=facts,
            scores=scores,
            **best,
            curves=training.out_curves,
            num_parameters=training.out_num_parameters,
            job_ids=job_ids,
        )
        return preset.place(record)
