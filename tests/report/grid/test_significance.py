"""What a report says of the significance of its rows."""

import pytest

from ctc_kd.files import write_json
from ctc_kd.report.grid.comparisons import comparisons
from ctc_kd.report.grid.findings import caution
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.significance import Difference, p_value, read_significance
from ctc_kd.report.grid.significance_table import significance_html, significance_markdown

GROUPS = [("teacher", None), ("baseline", None), ("all", 0.9), ("eliminate", 0.9), ("eliminate", 1.0)]


def test_students_are_compared_with_the_baseline_and_with_kd_of_their_scale():
    assert comparisons(GROUPS) == {
        "all-l0.9": ["baseline"],
        "eliminate-l0.9": ["baseline", "all-l0.9"],
        "eliminate-l1": ["baseline"],
    }
    assert comparisons(GROUPS[3:]) == {}
    assert comparisons([("baseline", None), ("cr_ctc", None)]) == {"cr_ctc": ["baseline"]}


@pytest.fixture
def records(make_record):
    return [
        make_record("baseline", dev=20, test=22),
        make_record("all", None, 0.9, dev=17, test=18.5),
        make_record("symmetric", 1, 0.9, dev=18, test=None),
        make_record("symmetric", 2, 0.9, dev=16, test=18.2),
    ]


WERS = {"baseline": 22.0, "all-l0.9": 18.5, "symmetric-l0.9": 18.2}


COMPARED = [
    ("all-l0.9", "baseline", 0.0123),
    ("symmetric-l0.9", "baseline", 0.0002),
    ("symmetric-l0.9", "all-l0.9", 0.3),
]


def test_table(records, significance):
    text = significance_markdown(Results(records, significance=significance(WERS, COMPARED)))
    assert [line for line in text.splitlines() if line.startswith("|")][2:] == [
        "| KD | 0.9 | – | **−3.50 [−4.00, −3.00]** | **0.012** | **0.025** | – | – | – |",
        "| Symmetric | 0.9 | n = 2 | **−3.80 [−4.30, −3.30]** | **< 0.001** | **< 0.001** "
        "| −0.30 [−0.80, +0.20] | 0.300 | 0.300 |",
    ]
    assert "10\u2009000 random ways to swap" in text
    assert "the number of comparisons (3)" in text
    assert "too narrow" not in text


def test_rows_with_the_same_errors_are_no_comparison(records, significance):
    found = significance(WERS, COMPARED, speakers=6)
    found["comparisons"][2] |= {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "holm": 1.0}
    text = significance_markdown(Results(records, significance=found))
    assert "the number of comparisons (2)" in text


def test_a_row_without_a_distillation_scale(records, make_record, significance):
    found = significance({**WERS, "cr_ctc": 20.0}, [*COMPARED, ("cr_ctc", "baseline", 0.0002)])
    results = Results([*records, make_record("cr_ctc", 0.2, dev=18, test=20)], significance=found)
    assert "| CR-CTC | – | α = 0.2 | **−2.00 [−2.50, −1.50]** |" in significance_markdown(results)


def test_rows_with_several_seeds_have_a_second_table(records, significance):
    """It decides: two of three differences that are more than chance over speakers may be chance in training."""
    found = significance(WERS, COMPARED, paired={0: 0.04, 1: 0.003})
    results = Results(records, significance=found)
    speakers, seeds = significance_markdown(results).split("**Seeds.**")
    assert "but not in training here; the next table covers both." in speakers
    assert [line for line in seeds.splitlines() if line.startswith("|")][2:] == [
        "| KD | 0.9 | – | −3.50 ± 0.35 [−4.50, −2.50] | 0.040 | 0.080 | – | – | – |",
        "| Symmetric | 0.9 | n = 2 | **−3.80 ± 0.35 [−4.80, −2.80]** | **0.003** | **0.006** | – | – | – |",
    ]
    assert "corrected for 2 comparisons" in seeds
    assert significance_html(results).count("<table") == 2
    assert caution(results).startswith(
        "1 of 2 students differ from the CTC baseline by more than chance in training and"
    )
    few = Results(records, significance=significance(WERS, COMPARED, speakers=6, paired={0: 0.04, 1: 0.003}))
    assert caution(few) == caution(results), "what the test over speakers alone cannot show is shown over seeds"
    without = Results(records, significance=significance(WERS, COMPARED))
    assert "Seeds" not in significance_markdown(without) and significance_html(without).count("<table") == 1
    assert caution(without).startswith("2 of 2 students differ from the CTC baseline by more than chance in the choice")


def test_what_is_bold_is_so_after_the_correction(records, significance):
    compared = [("all-l0.9", "baseline", 0.03), *COMPARED[1:]]
    assert "| −3.50 [−4.00, −3.00] | 0.030 | 0.060 |" in significance_markdown(
        Results(records, significance=significance(WERS, compared))
    )


@pytest.mark.parametrize(("speakers", "powerless"), [(4, True), (6, True), (7, False), (19, False)])
def test_what_few_speakers_cannot_show(records, significance, speakers, powerless):
    """With 6 speakers, 2 of 64 ways to swap differ as much as any other; three times that is 0.09."""
    text = significance_markdown(Results(records, significance=significance(WERS, COMPARED, speakers=speakers)))
    assert f"With {speakers} speakers the intervals are too narrow" in text
    assert ("no difference can be significant" in text) == powerless
    assert f"all {2**speakers:,} ways to swap".replace(",", "\u2009") in text


def test_a_file_of_an_earlier_version_is_refused(significance, tmp_path):
    path, data = tmp_path / "significance.json", significance(WERS, COMPARED)
    write_json(path, data)
    assert read_significance(str(path)) == data
    del data["exact"]
    write_json(path, data)
    with pytest.raises(ValueError, match=f"{path}: .* earlier version .*sis remove"):
        read_significance(str(path))


@pytest.mark.parametrize(
    ("wers", "row"),
    [({**WERS, "symmetric-l0.9": 18.3}, "symmetric-l0.9"), ({**WERS, "symmetric-l1": 18.2}, "symmetric-l1")],
)
def test_other_hypotheses_than_the_records_are_refused(records, significance, wers, row):
    with pytest.raises(ValueError, match=f"row {row} has .* the row that dev chose"):
        Results(records, significance=significance(wers, []))


def test_no_minus_zero():
    assert Difference(-0.001, -0.004, 0.004, 0.9, 1.0).texts() == ("+0.00", "[+0.00, +0.00]", "0.900", "1.000")


def test_a_small_p_is_not_zero():
    assert [p_value(p) for p in (0.0001, 0.0009, 0.001, 1.0)] == ["< 0.001", "< 0.001", "0.001", "1.000"]
