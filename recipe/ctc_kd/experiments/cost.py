"""What distillation bought: exported students beside their teacher."""

from __future__ import annotations

from collections.abc import Mapping

from sisyphus import tk

from ctc_kd.experiments.blank_kd import Grid
from ctc_kd.experiments.export import export_job
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import TEACHER
from ctc_kd.export.measure import MeasureStudentsJob
from ctc_kd.report.cost import CostReportJob


def what_it_bought(grid: Grid, students: Mapping[str, tk.Path]):
    """Registers the report on the size, speed and memory of exported students as ``exported`` beside their records.

    :param students: name -> folder, see :func:`ctc_kd.experiments.export.export`
    """
    corpus, preset = grid.chain.corpus, grid.chain.preset
    teacher = export_job(grid, [TEACHER.name]).out_student
    measured = MeasureStudentsJob(students={"Teacher": teacher, **students}, audio=corpus.audio[corpus.test])
    report = CostReportJob(title=f"Size and speed of the students: {corpus.name}", records=measured.out_records)
    register_outputs({f"{grid.folder}/exported": report.out_report}, requests=preset.requests)
