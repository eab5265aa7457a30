"""Distillation on one corpus: the teacher and its dump, and the chain of jobs from a row to its record."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.decoding.nbest_job import NBestJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.experiments.published import published_wer
from ctc_kd.experiments.recognition import Recognised, posteriors_of, recognised, tuned_scales
from ctc_kd.experiments.row_training import NBEST_SEARCH, criterion_of, model_of, training_of
from ctc_kd.experiments.rows import TEACHER, Row, with_seeds
from ctc_kd.methods import METHODS
from ctc_kd.report.record import RecordJob
from ctc_kd.training.build import is_finished
from ctc_kd.training.checkpoints import AverageCheckpointsJob, SelectCheckpointJob
from ctc_kd.training.criteria import needs_of
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.posteriors import PosteriorsJob
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig


class TrainedRow(NamedTuple):
    """The jobs of a row, up to the scales that are best on dev."""

    row: Row
    training: TrainJob
    posteriors: PosteriorsJob
    scales: TuneScalesJob


class RecordedRow(NamedTuple):
    """
    :param sets: ``dev``, or ``dev`` and ``test``
    """

    record: RecordJob
    sets: dict[str, Recognised]

    @property
    def found_on_test(self) -> tk.Path:
        """The hypotheses of test."""
        return self.sets["test"].search.out_hypotheses


class Distillation:
    """All that the rows of one corpus share: the teacher, its dump, and how a student is trained and scored."""

    def __init__(self, corpus: Corpus, preset: Preset):
        self.corpus = corpus
        self.preset = preset
        self.student_audio = list(corpus.student_audio) or [corpus.audio["train"]]

    @cached_property
    def teacher_training(self) -> TrainJob:
        preset, audio = self.preset, [self.corpus.audio["train"]]
        return self._train(preset.teacher, preset.teacher_training, {"kd_scale": 0.0}, audio=audio, labels=True)

    @cached_property
    def teacher_checkpoint(self) -> tk.Path | None:
        if is_finished(self.preset.teacher):
            return None
        training, preset = self.teacher_training, self.preset
        if not preset.teacher_candidates:
            mean = AverageCheckpointsJob(models=training.out_models, curves=training.out_curves, score="dev_loss_ctc")
            training.keep_best = mean.num
            return mean.out_checkpoint
        checkpoints = [training.checkpoint(epoch) for epoch in preset.teacher_candidates]
        grids = []
        for checkpoint in checkpoints:
            posteriors = posteriors_of(self.corpus, preset.teacher, checkpoint)
            grids.append(self._tuned(TEACHER, posteriors, on=self.corpus.teacher_dev).out_grid)
        return SelectCheckpointJob(checkpoints=checkpoints, grids=grids).out_checkpoint

    @cached_property
    def teacher_posteriors(self) -> PosteriorsJob:
        return posteriors_of(self.corpus, self.preset.teacher, self.teacher_checkpoint)

    @cached_property
    def teacher_dump(self) -> DumpLogitsJob:
        audio = [*self.student_audio, self.corpus.audio[self.corpus.validation]]
        job = DumpLogitsJob(
            model=self.preset.teacher, checkpoint=self.teacher_checkpoint, audio=audio, inventory=self.corpus.inventory
        )
        job.add_alias(self._alias(TEACHER, "dump"))
        return job

    def _train(
        self,
        model: dict,
        training: TrainingConfig,
        criterion: dict,
        *,
        audio: list[tk.Path],
        labels: bool,
        teacher_logits: tk.Path | None = None,
        hypotheses: tk.Path | None = None,
    ) -> TrainJob:
        corpus = self.corpus
        return TrainJob(
            model=model,
            criterion=criterion,
            training=training,
            audio=audio,
            dev_audio=corpus.audio[corpus.validation],
            labels=corpus.labels["train"] if labels else None,
            dev_labels=corpus.labels[corpus.validation] if labels else None,
            teacher_logits=teacher_logits,
            hypotheses=hypotheses,
            inventory=corpus.inventory,
        )

    def _alias(self, row: Row, name: str) -> str:
        return f"{self.preset.name}/{self.corpus.name}/{row.name}/{name}"

    def _tuned(self, row: Row, posteriors: PosteriorsJob, on: str | None = None) -> TuneScalesJob:
        """:param on: the set to search, by default dev"""
        scales = self.scales_of(row)
        return tuned_scales(self.corpus, self.preset, on or self.corpus.dev, posteriors=posteriors, scales=scales)

    def scales_of(self, row: Row) -> Scales:
        """The grid that dev chooses from."""
        return (self.preset.teacher_scales if row == TEACHER else None) or self.preset.scales

    def hypotheses(self, num: int) -> NBestJob:
        """The teacher's N-best lists."""
        return NBestJob(logits=self.teacher_dump.out_logits, num=num, search=NBEST_SEARCH)

    def student(self, row: Row) -> TrainJob:
        """The training of a row. At lambda = 1 no input of it depends on transcripts."""
        paths = {"log_prior": self.teacher_posteriors.out_prior} if row.method == "prior" else {}
        criterion = criterion_of(row, self.preset, **paths)
        needs = needs_of(criterion)
        return self._train(
            model_of(row, self.preset),
            training_of(row, self.preset),
            criterion,
            audio=self.student_audio,
            labels=needs.labels is not None,
            teacher_logits=self.teacher_dump.out_logits if needs.teacher_logits else None,
            hypotheses=self.hypotheses(row.parameters.get("n", 1)).out_hypotheses if needs.hypotheses else None,
        )

    def trained(self, row: Row) -> TrainedRow:
        """Train, forward, tune one row."""
        if row == TEACHER:
            training, posteriors = self.teacher_training, self.teacher_posteriors
        else:
            training = self.student(row)
            posteriors = posteriors_of(self.corpus, training.model, training.checkpoint())
        scales = self._tuned(row, posteriors)
        for name, job in (("train", training), ("posteriors", posteriors), ("tune", scales)):
            job.add_alias(self._alias(row, name))
        return TrainedRow(row, training, posteriors, scales)

    def recorded(self, trained: TrainedRow, sets: Sequence[str] = ("dev", "test")) -> RecordedRow:
        """Search and score ``sets`` with the scales that are best on dev."""
        found = {name: self._recognised(trained, name) for name in sets}
        record = RecordJob(
            row=self._facts(trained),
            scores={name: one.score.out_counts for name, one in found.items()},
            lm_scale=trained.scales.out_lm_scale,
            prior_scale=trained.scales.out_prior_scale,
            curves=trained.training.out_curves,
            num_parameters=trained.training.out_num_parameters,
            job_ids=self._job_ids(trained),
        )
        return RecordedRow(record, found)

    def recorded_seeds(self, row: Row, seeds: Sequence[int]) -> list[RecordedRow]:
        """Train, tune, search dev and test with each seed of a row."""
        return [self.recorded(self.trained(one)) for one in with_seeds([row], seeds)]

    def _recognised(self, trained: TrainedRow, name: str) -> Recognised:
        """:param name: ``dev`` or ``test``"""
        row, _, posteriors, scales = trained
        set_name = getattr(self.corpus, name)
        found = recognised(
            self.corpus,
            self.preset,
            set_name,
            posteriors=posteriors.out_posteriors[set_name],
            prior=posteriors.out_prior,
            lm_scale=scales.out_lm_scale,
            prior_scale=scales.out_prior_scale,
        )
        found.search.add_alias(self._alias(row, f"search-{name}"))
        found.score.add_alias(self._alias(row, f"score-{name}"))
        return found

    def _facts(self, trained: TrainedRow) -> dict:
        """The facts of a row's record that are known before its jobs run."""
        row, training, preset = trained.row, trained.training, self.preset
        criterion = training.criterion if METHODS[row.method].distils else {}
        return {
            "corpus": self.corpus.name,
            "preset": preset.name,
            "row": row.name,
            "method": row.method,
            "parameter": row.parameter,
            "weight": row.weight,
            "temperature": criterion.get("temperature"),
            "normalisation": criterion.get("normalisation"),
            "seed": training.training.seed,
            "published": published_wer(self.corpus.name, row.method, row.weight),
            "uses_transcripts": training.labels is not None,
        }

    def _job_ids(self, trained: TrainedRow) -> dict[str, str]:
        ids = {"posteriors": trained.posteriors.job_id()}
        if METHODS[trained.row.method].distils:
            ids["teacher logits"] = self.teacher_dump.job_id()
        return ids
