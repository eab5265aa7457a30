"""Rows of related methods as graphs: they share the teacher, and read what their losses need."""

from dataclasses import replace

import pytest

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.rows import BASELINE, RELATIVES, TEACHER, Row
from ctc_kd.methods import METHODS
from ctc_kd.training.criteria import CRITERIA, build_criterion


@pytest.fixture
def grid():
    return Distillation(demo_corpus(DEMO), DEMO)


def test_every_loss_has_a_row_that_builds_it(grid):
    built = {}
    for row in RELATIVES:
        criterion = build_criterion(grid.student(row).criterion)
        built[type(criterion).__name__] = criterion
        assert getattr(criterion, "kd_scale", row.weight) == row.weight
        for name in set(row.parameters) & set(CRITERIA[type(criterion).__name__].fields):
            assert getattr(criterion, name) == row.parameter
    assert set(built) == {METHODS[row.method].criterion for row in RELATIVES}


def test_at_lambda_1_nothing_is_read_but_audio_and_the_teacher(grid):
    for row in RELATIVES:
        student = grid.student(row)
        assert (student.labels is None) == (row.weight == 1.0)
        assert (student.dev_labels is None) == (row.weight == 1.0)


def test_each_row_reads_what_its_loss_needs(grid):
    sequence, soft, views = (
        grid.student(row) for row in (Row("sequence", 1.0, 4), Row("soft", 0.9), Row("cr_ctc", None, 0.2))
    )
    assert sequence.teacher_logits is None
    assert sequence.hypotheses.creator.logits == soft.teacher_logits == grid.teacher_dump.out_logits
    assert sequence.hypotheses.creator.num == 4
    assert (views.teacher_logits, views.hypotheses) == (None, None)


def test_two_views_in_half_of_the_updates_cost_as_much(grid):
    views, half = (grid.student(Row(method, None, 0.2)) for method in ("cr_ctc", "cr_ctc_half"))
    assert views.training == DEMO.student_training
    assert half.training.num_epochs == DEMO.student_training.num_epochs / 2
    assert half.training.learning_rates[-1] == DEMO.student_training.learning_rates[-1]
    assert replace(half.training, learning_rates=(), keep_epochs=()) == replace(
        views.training, learning_rates=(), keep_epochs=()
    )
    assert half.criterion == views.criterion


def test_a_report_has_them_beside_the_paper_s_rows(grid):
    rows = [TEACHER, BASELINE, Row("all", 1.0), Row("soft", 1.0), Row("sequence", 1.0, 4), Row("cr_ctc", None, 0.2)]
    records = blank_kd(demo_corpus(DEMO), DEMO, rows, name="relatives").records
    facts = {name: record.creator.row for name, record in records.items()}
    assert list(facts) == ["teacher", "baseline", "all-l1", "soft-l1", "sequence-n4-l1", "cr_ctc-alpha0.2"]
    assert [(row["temperature"], row["normalisation"]) for row in facts.values()] == [
        *[(None, None)] * 2,
        *[(2.0, "selected_frames")] * 2,
        *[(None, None)] * 2,
    ]
    assert [row["uses_transcripts"] for row in facts.values()] == [True, True, False, False, False, True]
