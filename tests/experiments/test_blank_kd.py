"""The rows of the tables as graphs: complete, label-free where they claim it, buildable by the training steps."""

from dataclasses import replace

import pytest

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.cost import what_it_bought
from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.export import export, export_job
from ctc_kd.experiments.librispeech import librispeech_clean
from ctc_kd.experiments.paper_presets import PUBLISHED
from ctc_kd.experiments.rows import BASELINE, COVERAGE, FIGURE_1, PRIOR, TABLE_1, TABLE_2, TEACHER, Row
from ctc_kd.export.measure import MeasureStudentsJob
from ctc_kd.export.student import ExportStudentJob
from ctc_kd.report.grid.job import ReportJob
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.posteriors import PosteriorsJob


@pytest.fixture
def grid():
    return Distillation(demo_corpus(DEMO), DEMO)


def ancestors(job, *, stop=()):
    """Class names of all jobs that ``job`` depends on; what stands behind a ``stop`` job does not count."""
    names, todo, seen = set(), [job], set()
    while todo:
        current = todo.pop()
        for path in current._sis_inputs:
            creator = path.creator
            if creator is None or creator in seen:
                continue
            seen.add(creator)
            names.add(type(creator).__name__)
            if not isinstance(creator, stop):
                todo.append(creator)
    return names


TRANSCRIPT_JOBS = {"ReadLibriSpeechTranscriptsJob", "LabelSequencesJob", "CmuLexiconJob", "TrainG2PJob", "NgramLmJob"}


LABEL_FREE = [row for row in [*TABLE_1, *TABLE_2, *PRIOR] if row.weight == 1.0]


@pytest.mark.parametrize("row", LABEL_FREE, ids=lambda row: row.name)
def test_nothing_that_a_label_free_student_reads_depends_on_transcripts(grid, row):
    student = grid.student(row)
    assert student.labels is None
    assert student.dev_labels is None
    # The teacher has seen transcripts; beside its dump, and its prior, there is nothing.
    assert not ancestors(student, stop=(DumpLogitsJob, PosteriorsJob)) & TRANSCRIPT_JOBS


@pytest.mark.parametrize("row", [BASELINE, Row("all", 0.9), Row("symmetric", 0.25, 2)], ids=lambda row: row.name)
def test_students_with_a_ctc_loss_read_labels(grid, row):
    assert ancestors(grid.student(row), stop=DumpLogitsJob) >= {"ReadLibriSpeechTranscriptsJob", "LabelSequencesJob"}


def test_all_students_share_one_teacher_and_one_dump(grid):
    stores = {grid.student(row).teacher_logits for row in [*TABLE_1[2:], *TABLE_2]}
    assert len(stores) == 1


def test_tables_have_the_rows_of_the_paper():
    assert [row.name for row in TABLE_1] == [
        "teacher",
        "baseline",
        *("all-l0.25", "all-l0.9", "all-l1"),
        *("eliminate-l0.25", "eliminate-l0.9", "eliminate-l1"),
    ]
    assert len(FIGURE_1) == 15
    assert len({row.name for row in TABLE_2}) == len(TABLE_2) == 15 + 3 + 9 + 9
    assert len(COVERAGE) == 1 + 1 + 5 + 1 + 3 + 3


def test_literals_of_jobs_build_models_and_losses(grid):
    from ctc_kd.nn.config import StudentConfig
    from ctc_kd.training.criteria import build_criterion

    literal = dict(DEMO.student)
    assert literal.pop("class") == "StudentCtc"
    assert StudentConfig.from_dict(literal).num_labels_with_blank == 79
    for row in [*TABLE_1[2:], *TABLE_2]:
        criterion = build_criterion(grid.student(row).criterion)
        assert criterion.kd_scale == row.weight
        assert criterion.selection.rule == row.method


def test_record_of_every_kind_of_row_can_be_declared(grid):
    names = [grid.recorded(grid.trained(row)).record.row["row"] for row in (TEACHER, BASELINE, Row("random", 1.0, 0.5))]
    assert names == ["teacher", "baseline", "random-beta0.5-l1"]


def test_relatives_with_a_teacher_or_with_a_second_head(grid):
    guided, intermediate = grid.student(Row("guide", 0.5)), grid.student(Row("intermediate", None, 0.3))
    assert guided.teacher_logits == grid.student(Row("all", 0.5)).teacher_logits
    assert guided.criterion == {"class": "GuidedCtcLoss", "kd_scale": 0.5, "normalisation": "selected_frames"}
    assert (guided.model, guided.labels) == (DEMO.student, intermediate.labels)
    assert intermediate.model == {**DEMO.student, "class": "TwoHeadStudentCtc", "layer": 2}
    assert (intermediate.teacher_logits, intermediate.criterion["alpha"]) == (None, 0.3)


def test_without_candidates_the_mean_of_the_best_checkpoints_teaches(grid):
    assert type(grid.teacher_checkpoint.creator).__name__ == "SelectCheckpointJob"
    other = Distillation(demo_corpus(DEMO), replace(DEMO, teacher_candidates=()))
    assert type(other.teacher_checkpoint.creator).__name__ == "AverageCheckpointsJob"
    assert other.student(Row("all", 0.9)).job_id() != grid.student(Row("all", 0.9)).job_id()


def test_a_corpus_that_the_paper_does_not_have(created):
    """Its report has no columns of the paper."""
    preset = PUBLISHED["librispeech-clean"]
    blank_kd(librispeech_clean(preset), preset, [TEACHER, BASELINE], name="clean", reference="librispeech-clean")
    (report,) = (job for job in created.values() if isinstance(job, ReportJob))
    assert report.reference is None


def test_rows_are_paired_by_seed_whatever_their_order(grid):
    rows = [Row("all", 1.0, seed=43), Row("all", 1.0, seed=42)]
    rows += [Row("symmetric", 1.0, n, seed=seed) for seed in (42, 43) for n in (1, 2)]
    found = blank_kd(demo_corpus(DEMO), DEMO, [TEACHER, *rows], name="demo")
    hypotheses = found.significance.creator.hypotheses
    first, second = (path.creator.posteriors.creator for path in hypotheses["all-l1"])
    assert [first, second] == [found.trained[f"all-l1-s{seed}"].posteriors for seed in (42, 43)]
    assert [path.creator.lm_scale.creator.seed for path in hypotheses["symmetric-l1"]] == [42, 43]


def test_a_row_is_exported_by_name(created):
    preset = PUBLISHED["librispeech-clean"]
    found = blank_kd(librispeech_clean(preset), preset, [TEACHER, BASELINE], name="clean")
    export(found, ["baseline"], name="plain")
    (job,) = (job for job in created.values() if isinstance(job, ExportStudentJob))
    training = found.trained["baseline"].training
    assert job.candidates["baseline"]["checkpoint"].creator is training
    assert job.teacher == preset.teacher["encoder"]
    with pytest.raises(ValueError, match="there is no row 'trim' to export; the rows are teacher, baseline"):
        export(found, ["trim"], name="plain")


def test_a_teacher_is_exported_as_it_teaches(grid):
    found = blank_kd(demo_corpus(DEMO), DEMO, [TEACHER, BASELINE], name="demo")
    candidate = export_job(found, ["teacher"]).candidates["teacher"]
    assert candidate["checkpoint"] == found.chain.teacher_checkpoint == grid.teacher_checkpoint
    assert candidate["model"] == DEMO.teacher


def test_exported_students_are_measured_beside_their_teacher(created):
    found = blank_kd(demo_corpus(DEMO), DEMO, [TEACHER, BASELINE], name="demo")
    before = set(created)
    plain = export(found, ["baseline"], name="plain")
    what_it_bought(found, {"Plain": plain})
    new = [job for name, job in created.items() if name not in before]
    (measured,) = (job for job in new if isinstance(job, MeasureStudentsJob))
    assert list(measured.students) == ["Teacher", "Plain"] and measured.students["Plain"] == plain
    assert measured.audio == found.chain.corpus.audio["test"]
    assert sorted(type(job).__name__ for job in new if job is not measured) == [
        *("CostReportJob", "ExportStudentJob", "ExportStudentJob"),
    ]
