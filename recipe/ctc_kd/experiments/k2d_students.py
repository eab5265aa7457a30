"""Students of filtered pseudo labels: Whisper models on long recordings, and CTC models of the same audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sisyphus import tk

from ctc_kd.corpus.hold_out import HoldOutJob
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.corpus.sets import SelectCutsJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.k2d import ALL, NO_LOOPS, Kept, Recordings, folder_of, k2d
from ctc_kd.experiments.k2d_models import WhisperModel
from ctc_kd.experiments.labels import Labels
from ctc_kd.experiments.recognition import error_rates, posteriors_of
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import BASELINE, Row
from ctc_kd.lexicon.spell import SpellTranscriptsJob
from ctc_kd.nn.config import SpecAugmentConfig
from ctc_kd.pseudo_labels.convert import ConvertWhisperJob
from ctc_kd.pseudo_labels.corpus import PiecesCorpusJob
from ctc_kd.pseudo_labels.piece_jobs import SegmentsJob
from ctc_kd.pseudo_labels.references import ReferenceErrorsJob
from ctc_kd.pseudo_labels.tokens import TokensJob
from ctc_kd.pseudo_labels.transcribe import TranscribeJob
from ctc_kd.pseudo_labels.whisper import WhisperDecoding
from ctc_kd.report.long_form import LongForm, LongFormReportJob
from ctc_kd.report.students import Column, StudentsReportJob
from ctc_kd.scoring.score import ERROR_RATES
from ctc_kd.training.train_tokens import SaveWhisperJob, TrainWhisperJob, WhisperStudent
from ctc_kd.training.training_config import TrainingConfig

PUBLISHED_CHANGES = {ALL: -7.0, NO_LOOPS: -10.0, "MER": -14.3, "PER": -17.3, "composite": -18.1}
"""Percent by which the paper's students of these labels had fewer errors than their teacher on COOLTEST (Table 2)."""

LABEL_FREE = Row("all", 1.0)


LOSS = {"ce_scale": 0.8, "kl_scale": 1.0, "temperature": 2.0}
"""The paper's weights, and the temperature of Distil-Whisper's code, which it builds on."""


def k2d_with_students(
    recordings: Recordings,
    teacher: WhisperModel,
    validators: dict[str, dict[str, Any]],
    *,
    name: str,
    training: TrainingConfig,
    alpha: float = 0.4,
    distilled: Sequence[str] = (),
    test: Recordings | None = None,
    masks: SpecAugmentConfig | None = None,
):
    """Registers pseudo labels and filters, see :func:`ctc_kd.experiments.k2d.k2d`, and students of what filters keep.

    :param distilled: rows of the report, each of which has a student
    :param test: recordings with references, which compare the students
    :param masks: see :class:`ctc_kd.training.train_tokens.WhisperStudent`
    :raises ValueError: there is no such row, or there are no recordings with references to compare its student on
    """
    kept = k2d(
        recordings, teacher=teacher.converted(mixed=recordings.mixed), validators=validators, name=name, alpha=alpha
    )
    if unknown := [rule for rule in distilled if rule not in kept]:
        raise ValueError(f"there is no rule {unknown[0]!r} to distil; expected one of: {'; '.join(kept)}")
    if distilled:
        if test is None or test.references is None:
            raise ValueError("students are compared on recordings with texts and times: give test=(audio, references)")
        chosen = {rule: kept[rule] for rule in distilled}
        student = WhisperStudent(teacher.trainable(), masks=masks)
        whisper_students(chosen, recordings, test, student=student, training=training, name=name)


def whisper_students(
    kept: Mapping[str, Kept],
    recordings: Recordings,
    test: Recordings,
    *,
    student: WhisperStudent,
    training: TrainingConfig,
    name: str,
    decoding: WhisperDecoding = WhisperDecoding(),  # noqa: B008  it is frozen
    max_seconds: float | None = None,
    requests: dict | None = None,
):
    """Registers a student for each rule, and the table of what all say of long recordings.

    :param kept: rule -> what the student learns from
    :param recordings: what was labelled
    :param test: recordings with references
    :param student: of the model of transformers that wrote the labels
    :param decoding, max_seconds: see :func:`ctc_kd.experiments.k2d.k2d`
    """
    models = {"Teacher": student.teacher, "Untrained student": SaveWhisperJob(student=student).out_model}
    for rule, part in kept.items():
        models[rule] = whisper_student(
            part,
            recordings,
            student=student,
            training=training,
            name=f"{name}/{folder_of(rule)}",
        ).out_student
    long_form(models, test, name=name, decoding=decoding, max_seconds=max_seconds, requests=requests)


def whisper_student(
    kept: Kept,
    recordings: Recordings,
    *,
    student: WhisperStudent,
    training: TrainingConfig,
    name: str,
) -> TrainWhisperJob:
    """Registers a student that learns from kept pieces, as a folder of transformers, and returns its training.

    :param recordings: what was labelled. Without a language, students read that which the teacher found
    :param student: of the model of transformers that wrote the labels
    :param name: of the student below ``output/k2d/``
    """
    teacher, language = student.teacher, recordings.decoded_as
    labelled = TokensJob(pieces=kept.pieces, model=teacher, language=language)
    split = HoldOutJob(cuts=PiecesCorpusJob(pieces=labelled.out_pieces, cuts=recordings.cuts).out_cuts)
    held_out = TokensJob(pieces=labelled.out_pieces, model=teacher, language=language, cuts=split.out_held_out)
    training_job = TrainWhisperJob(
        student=student,
        loss=LOSS,
        training=training,
        audio=[OggZipJob(cuts=split.out_train).out_ogg_zip],
        dev_audio=OggZipJob(cuts=split.out_held_out).out_ogg_zip,
        tokens=labelled.out_hdf,
        dev_tokens=held_out.out_hdf,
    )
    training_job.add_alias(f"k2d/{name}/train")
    register_outputs({f"k2d/{name}/student": training_job.out_student})
    return training_job


def long_form(
    models: Mapping[str, tk.Path],
    test: Recordings,
    *,
    name: str,
    decoding: WhisperDecoding = WhisperDecoding(),  # noqa: B008  it is frozen
    max_seconds: float | None = None,
    requests: dict | None = None,
):
    """Registers the table of what models say about long recordings, as ``output/k2d/<name>/students``.

    :param models: name -> folder of transformers; the first is the teacher, and students are named by the rule that
        chose their labels
    :param decoding, max_seconds: see :func:`ctc_kd.experiments.k2d.k2d`
    """
    found = {}
    for model, folder in models.items():
        converted = ConvertWhisperJob(model=folder).out_model
        said = TranscribeJob(
            cuts=test.cuts, model=converted, language=test.decoded_as, decoding=decoding, max_seconds=max_seconds
        )
        segments = SegmentsJob(transcriptions=said.out_transcriptions).out_segments
        cuts, transcripts = test.references
        errors = ReferenceErrorsJob(
            pieces=segments, cuts=test.cuts, reference_cuts=cuts, reference_transcripts=transcripts
        )
        published = PUBLISHED_CHANGES.get(model.partition(",")[0])
        found[model] = LongForm(errors.out_counts, said.out_cost, published)
    report = LongFormReportJob(title=f"Students of {name}", models=found, notes=[NOTE])
    register_outputs({f"k2d/{name}/students": report.out_report}, requests=requests)


NOTE = (
    "The paper's numbers are of Whisper large-v2, 60,000 hours and a student with two of 32 decoder layers: they show "
    "its trend and cannot be compared with ours."
)


def ctc_students(grid: Distillation, labels: Labels, kept: Mapping[str, Kept], *, name: str):
    """Registers the table of CTC students of kept audio, as ``output/k2d/<name>/ctc``.

    Each rule has a student that learns the pseudo labels by CTC, and one that learns what the grid's teacher says of
    every frame of the same audio, without any label.

    :param grid: a CTC teacher, and how students of its corpus are trained
    :param labels: of the corpus
    """
    rows = {"Teacher, transcripts": _rates(grid, grid.teacher_posteriors)}
    for rule, part in kept.items():
        for kind, variant, row in (
            ("pseudo labels", Distillation(labelled_by(grid.corpus, labels, part), grid.preset), BASELINE),
            ("label-free", Distillation(heard_by(grid.corpus, part), grid.preset), LABEL_FREE),
        ):
            training = variant.student(row)
            training.add_alias(f"k2d/{name}/ctc_students/{kind}, {rule}".replace(" ", "_").replace(",", ""))
            posteriors = posteriors_of(grid.corpus, training.model, training.checkpoint())
            rows[f"{kind}, {rule}"] = _rates(grid, posteriors)
    rate = ERROR_RATES[grid.corpus.unit]
    columns = {one: Column(f"{one} {rate} [%]", f"errors of the best path on {one}") for one in ("dev", "test")}
    report = StudentsReportJob(
        title=f"CTC students of {name}", columns=columns, rows=rows, teachers=["Teacher, transcripts"]
    )
    register_outputs({f"k2d/{name}/ctc": report.out_report}, requests=grid.preset.requests)


def labelled_by(corpus: Corpus, labels: Labels, kept: Kept) -> Corpus:
    """The corpus with pseudo labels in the place of ``train``. Texts with other characters than labels are left out."""
    spelled = SpellTranscriptsJob(transcripts=kept.transcripts, missing="skip", **labels.spelling())
    cuts = SelectCutsJob(cuts=kept.cuts, utterances=spelled.out_utterances).out_cuts
    audio = {**corpus.audio, "train": OggZipJob(cuts=cuts).out_ogg_zip}
    return replace(
        corpus,
        audio=audio,
        cuts={**corpus.cuts, "train": cuts},
        student_audio=(),
        labels={**corpus.labels, "train": spelled.out_hdf},
    )


def heard_by(corpus: Corpus, kept: Kept) -> Corpus:
    """The corpus with kept audio for students; its teacher stays."""
    return replace(corpus, student_audio=(OggZipJob(cuts=kept.cuts).out_ogg_zip,))


def _rates(grid: Distillation, posteriors) -> dict[str, tk.Variable]:
    return error_rates(grid.corpus, grid.preset, posteriors, ["dev", "test"])
