"""Blank selection in CTC distillation (arXiv 2506.01503): the rows of Tables 1 and 2 and Figure 1 as chains of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sisyphus import tk

from ctc_kd.analysis.coverage import CoverageJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.published import published_reference, published_wer
from ctc_kd.experiments.recognition import posteriors, scores, tuned_scales
from ctc_kd.report.job import ReportJob
from ctc_kd.report.record import RecordJob
from ctc_kd.training.checkpoints import AverageCheckpointsJob, SelectCheckpointJob
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.train import TrainJob

PARAMETER_NAME = {"symmetric": "n", "threshold": "alpha", "random": "beta"}


@dataclass(frozen=True)
class Row:
    """One row of a table.

    :param method: ``"teacher"``, ``"baseline"`` (CTC only) or the name of a selection rule (``"all"`` is plain KD)
    :param weight: lambda, the share of the distillation loss
    :param parameter: n, alpha or beta of the rule
    """

    method: str
    weight: float | None = None
    parameter: float | None = None

    @property
    def name(self) -> str:
        parameter = [] if self.parameter is None else [f"{PARAMETER_NAME[self.method]}{self.parameter:g}"]
        weight = [] if self.weight is None else [f"l{self.weight:g}"]
        return "-".join([self.method, *parameter, *weight])

    @property
    def selection(self) -> dict:
        """Literal of ``ctc_kd.nn.selection.Selection``."""
        parameters = {} if self.parameter is None else {PARAMETER_NAME[self.method]: self.parameter}
        return {"rule": self.method, "parameters": parameters}


TEACHER, BASELINE = Row("teacher"), Row("baseline")
WEIGHTS = (0.25, 0.9, 1.0)
TABLE_1 = [TEACHER, BASELINE, *(Row(method, weight) for method in ("all", "eliminate") for weight in WEIGHTS)]
FIGURE_1 = [Row("symmetric", weight, n) for weight in WEIGHTS for n in (1, 2, 3, 4, 5)]
TABLE_2 = [
    *FIGURE_1,
    *(Row("trim", weight) for weight in WEIGHTS),
    *(Row("threshold", weight, alpha) for weight in WEIGHTS for alpha in (0.95, 0.9, 0.8)),
    *(Row("random", weight, beta) for weight in WEIGHTS for beta in (0.5, 1.0, 2.0)),
]
COVERAGE = list({str(row.selection): row.selection for row in [*TABLE_1[2:], *TABLE_2]}.values())


class BlankKd:
    """All that the rows of one corpus share: the teacher, its dump, and how a student is trained and scored."""

    def __init__(self, corpus: Corpus, preset: Preset):
        self.corpus = corpus
        self.preset = preset
        self.teacher_training = self._train(preset.teacher, preset.teacher_training, {"kd_scale": 0.0}, labels=True)
        self.teacher_checkpoint = self._best_teacher()
        self.teacher_logits = preset.place(
            DumpLogitsJob(
                model=preset.teacher,
                checkpoint=self.teacher_checkpoint,
                audio=[corpus.audio["train"], corpus.audio["dev"]],
            )
        ).out_logits

    def _train(self, model: dict, training, criterion: dict, *, labels: bool, teacher_logits=None) -> TrainJob:
        job = TrainJob(
            model=model,
            criterion=criterion,
            training=training,
            audio=self.corpus.audio["train"],
            dev_audio=self.corpus.audio["dev"],
            labels=self.corpus.labels["train"] if labels else None,
            dev_labels=self.corpus.labels["dev"] if labels else None,
            teacher_logits=teacher_logits,
        )
        return self.preset.place(job)

    def _best_teacher(self) -> tk.Path:
        training = self.teacher_training
        if not self.preset.teacher_candidates:
            mean = AverageCheckpointsJob(models=training.out_models, curves=training.out_curves, score="dev_loss_ctc")
            return self.preset.place(mean).out_checkpoint
        checkpoints = [training.checkpoint(epoch) for epoch in self.preset.teacher_candidates]
        grids = []
        for checkpoint in checkpoints:
            found = posteriors(self.corpus, self.preset, self.preset.teacher, checkpoint)
            grids.append(tuned_scales(self.corpus, self.preset, found).out_grid)
        return self.preset.place(SelectCheckpointJob(checkpoints=checkpoints, grids=grids)).out_checkpoint

    def student(self, row: Row) -> TrainJob:
        """Training of a row; at lambda = 1 without any input that depends on transcripts."""
        model, training = self.preset.student, self.preset.student_training
        if row == BASELINE:
            return self._train(model, training, {"kd_scale": 0.0}, labels=True)
        criterion = {
            "kd_scale": row.weight,
            "temperature": self.preset.temperature,
            "normalisation": self.preset.normalisation,
            "selection": row.selection,
        }
        return self._train(model, training, criterion, labels=row.weight < 1.0, teacher_logits=self.teacher_logits)

    def record(self, row: Row) -> RecordJob:
        """Train, forward, tune, search and score one row."""
        corpus, preset = self.corpus, self.preset
        if row == TEACHER:
            training, model, checkpoint = self.teacher_training, preset.teacher, self.teacher_checkpoint
        else:
            training, model = self.student(row), preset.student
            checkpoint = training.checkpoint()
        found = posteriors(corpus, preset, model, checkpoint)
        scales = tuned_scales(corpus, preset, found)
        distilled = row not in (TEACHER, BASELINE)
        facts = {
            "corpus": corpus.name,
            "preset": preset.name,
            "row": row.name,
            "method": row.method,
            "parameter": row.parameter,
            "weight": row.weight,
            "temperature": preset.temperature if distilled else None,
            "normalisation": preset.normalisation if distilled else None,
            "seed": training.training.seed,
            "published": published_wer(corpus.name, row.method, row.weight),
            "uses_transcripts": training.labels is not None,
        }
        job_ids = {"posteriors": found.prior.creator.job_id()}
        if distilled:
            job_ids["teacher logits"] = self.teacher_logits.creator.job_id()
        record = RecordJob(
            row=facts,
            scores={name: score.out_counts for name, score in scores(corpus, preset, found, scales).items()},
            lm_scale=scales.out_lm_scale,
            prior_scale=scales.out_prior_scale,
            curves=training.out_curves,
            num_parameters=training.out_num_parameters,
            job_ids=job_ids,
        )
        training.add_alias(f"{corpus.name}/{row.name}/train")
        scales.add_alias(f"{corpus.name}/{row.name}/tune")
        return preset.place(record)


def blank_kd(corpus: Corpus, preset: Preset, rows: Sequence[Row], *, name: str, reference: str | None = None):
    """Register the report of ``rows``, and each row's record, below ``output/<name>/<corpus>/``.

    :param reference: corpus of the paper whose numbers stand beside ours
    """
    grid = BlankKd(corpus, preset)
    records, curves = {}, {}
    for row in rows:
        job = grid.record(row)
        records[row.name], curves[row.name] = job.out_record, job.curves
        tk.register_output(f"{name}/{corpus.name}/records/{row.name}.json", job.out_record)
    coverage = preset.place(CoverageJob(logits=grid.teacher_logits, selections=COVERAGE)).out_coverage
    report = ReportJob(
        title=f"CTC distillation and blank: {corpus.name}",
        records=list(records.values()),
        coverage=coverage,
        curves=curves,
        lm_statistics=corpus.lm_statistics,
        reference=published_reference(reference) if reference else None,
    )
    tk.register_output(f"{name}/{corpus.name}/report", preset.place(report).out_report)
