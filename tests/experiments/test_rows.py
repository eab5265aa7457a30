"""The rows of the tables by name, and parts of them."""

import math

import pytest

from ctc_kd.experiments.rows import BASELINE, PRIOR, TABLE_1, TABLE_2, TEACHER, Row, of_methods, with_seeds


def test_names():
    assert Row("threshold", 0.25, 0.95).name == "threshold-alpha0.95-l0.25"
    assert [row.name for row in PRIOR] == ["prior-scale0.5-l0.25", "prior-scale0.5-l0.9", "prior-scale0.5-l1"]
    assert Row("trim", 1.0, seed=7).name == "trim-l1-s7"


def test_seeds_multiply_all_rows_but_the_teacher():
    rows = with_seeds([TEACHER, BASELINE, Row("all", 0.9)], [1, 2])
    assert [row.name for row in rows] == ["teacher", "baseline-s1", "all-l0.9-s1", "baseline-s2", "all-l0.9-s2"]


def test_rows_of_methods_keep_their_order():
    rows = of_methods([*TABLE_1, *TABLE_2], ["trim", "baseline"])
    assert [row.name for row in rows] == ["baseline", "trim-l0.25", "trim-l0.9", "trim-l1"]


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="no rows of sym;.*symmetric"):
        of_methods(TABLE_2, ["sym"])


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("symetric", 1.0, 2), "no method 'symetric'; expected one of .*symmetric"),
        (("symmetric", 1.0), "symmetric needs its hyper-parameter, n"),
        (("trim", 1.0, 2), "trim takes no hyper-parameter"),
        (("all",), "all takes a weight above 0"),
        (("all", 0.0), "all takes a weight above 0"),
        (("symmetric", 1.5, 1), "symmetric takes a weight above 0, at most 1"),
        (("symmetric", 1.0, 0), "n is 0, expected a whole number above 0"),
        (("symmetric", 1.0, 1.5), "n is 1.5, expected a whole number above 0"),
        (("symmetric", 1.0, 2.0), "n is 2.0, expected a whole number above 0"),
        (("symmetric", 1.0, "2"), "n is '2', expected a whole number above 0"),
        (("random", 1.0, math.nan), "beta is nan, expected a number above 0"),
        (("random", 1.0, math.inf), "beta is inf, expected a number above 0"),
        (("all", math.nan), "all takes a weight above 0"),
        (("all", "0.9"), "all takes a weight above 0"),
        (("threshold", 1.0, 1.1), "alpha is 1.1, expected a number above 0, at most 1"),
        (("baseline", 0.5), "baseline has no distillation loss to weigh"),
        (("teacher", None, None, 1), "the teacher has no seed of its own"),
    ],
)
def test_a_wrong_row_is_refused(row, fault):
    with pytest.raises(ValueError, match=fault):
        Row(*row)
