"""What the best path of a row says: its label errors, and how it differs from the teacher's."""

from __future__ import annotations

from sisyphus import tk

from ctc_kd.analysis.agreement import FrameAgreementJob
from ctc_kd.experiments.distillation import Distillation, TrainedRow
from ctc_kd.experiments.rows import TEACHER
from ctc_kd.report.students import Column
from ctc_kd.scoring.label_errors import LabelErrorRateJob

SILENT = "blank is all that the teacher says of this set"
COLUMNS = {
    "label errors": Column("LER [%]", "best path against the labels of the transcripts"),
    "teacher label errors": Column("LER to teacher [%]", "best path against that of the teacher", gap=SILENT),
    "agreement": Column("Frames [%]", "frames with the teacher's best label", "max"),
    "label agreement": Column("Label frames [%]", "the same of frames in which that is not blank", "max", gap=SILENT),
}

Measures = dict[str, tk.Variable]
"""Column -> value of one row."""


def label_errors(grid: Distillation, one: TrainedRow, name: str, *, references: tk.Path | None) -> Measures:
    """Compares a row's best path with transcripts, and a student's with its teacher's.

    :param name: one of the recognised sets
    :param references: label sequences of that set; None if there are no transcripts
    """
    ours, theirs = (posteriors.out_posteriors[name] for posteriors in (one.posteriors, grid.teacher_posteriors))
    found = {}
    if references is not None:
        found["label errors"] = LabelErrorRateJob(hypotheses=ours, references=references).out_rate
    if one.row != TEACHER:
        agreement = FrameAgreementJob(student=ours, teacher=theirs)
        found["teacher label errors"] = LabelErrorRateJob(hypotheses=ours, references=theirs).out_rate
        found["agreement"] = agreement.out_share
        found["label agreement"] = agreement.out_label_share
    return found
