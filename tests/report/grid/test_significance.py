"""What a report says of the significance of its rows."""

import pytest

from ctc_kd.report.grid.comparisons import comparisons
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.significance import Difference
from ctc_kd.report.grid.significance_table import p_value, significance_markdown

GROUPS = [("teacher", None), ("baseline", None), ("all", 0.9), ("eliminate", 0.9), ("eliminate", 1.0)]


def test_students_are_compared_with_the_baseline_and_with_kd_of_their_scale():
    assert comparisons(GROUPS) == {
        "all-l0.9": ["baseline"],
        "eliminate-l0.9": ["baseline", "all-l0.9"],
        "eliminate-l1": ["baseline"],
    }
    assert comparisons(GROUPS[3:]) == {}


@pytest.fixture
def records(make_record):
    return [
        make_record("baseline", dev=20, test=22),
        make_record("all", None, 0.9, dev=17, test=18.5),
        make_record("symmetric", 1, 0.9, dev=18, test=None),
        make_record("symmetric", 2, 0.9, dev=16, test=18.2),
    ]


WERS = {"baseline": 22.0, "all-l0.9": 18.5, "symmetric-l0.9": 18.2}


def test_table(records, significance):
    compared = [
        ("all-l0.9", "baseline", 0.0123),
        ("symmetric-l0.9", "baseline", 0.0),
        ("symmetric-l0.9", "all-l0.9", 0.3),
    ]
    text = significance_markdown(Results(records, significance=significance(WERS, compared)))
    assert [line for line in text.splitlines() if line.startswith("|")][2:] == [
        "| KD | 0.9 | – | **−3.50 [−4.00, −3.00]** | **0.012** | – | – |",
        "| Symmetric | 0.9 | n = 2 | **−3.80 [−4.30, −3.30]** | **< 0.001** | −0.30 [−0.80, +0.20] | 0.300 |",
    ]
    assert "10\u2009000 samples of the 20 speakers" in text
    assert "not reliable" not in text
    few = significance(WERS, compared, speakers=4)
    assert "With 4 speakers the intervals are not reliable." in significance_markdown(Results(records, None, few))


@pytest.mark.parametrize(
    ("wers", "row"),
    [({**WERS, "symmetric-l0.9": 18.3}, "symmetric-l0.9"), ({**WERS, "symmetric-l1": 18.2}, "symmetric-l1")],
)
def test_other_hypotheses_than_the_records_are_refused(records, significance, wers, row):
    with pytest.raises(ValueError, match=f"row {row} has .* the row that dev chose"):
        Results(records, significance=significance(wers, []))


def test_no_minus_zero():
    assert str(Difference(-0.001, -0.004, 0.004, 0.9)) == "+0.00 [+0.00, +0.00]"


def test_p_of_zero_is_not_zero():
    assert [p_value(p) for p in (0.0, 0.0009, 0.001, 1.0)] == ["< 0.001", "< 0.001", "0.001", "1.000"]
