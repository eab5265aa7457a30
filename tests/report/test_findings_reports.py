"""The reports on differences and on hours: their tables, by hand-made results, and their pages."""

from xml.etree import ElementTree

import pytest

from ctc_kd.report.differences import DifferencesReportJob
from ctc_kd.report.hours import HoursReportJob, note_of, picture, worth_text


def compared(row, difference, p, **seeds):
    found = {"row": row, "against": "best n", "difference": difference, "low": difference - 1, "high": difference + 1}
    return {**found, "p": p, "holm": p, **seeds}


def equivalence(p):
    return {"equivalence": {"margin": 0.5, "p": p, "holm": p}}


def test_a_column_for_each_setting_and_their_mean(store, run_report, make_record):
    over_seeds = {"seeds": {"low": -0.5, "high": 0.9, "spread": 0.25, "p": 0.4, "holm": 0.8}, **equivalence(0.01)}
    settings = {
        "pauses × 1": store(
            {
                "speakers": 4,
                "exact": True,
                "wer": {"best n": 16.0},
                "comparisons": [compared("<Soft>", 0.2, 0.01, **over_seeds)],
            }
        ),
        "pauses × 4": store(
            {
                "speakers": 5,
                "exact": True,
                "wer": {"best n": 18.0},
                "comparisons": [compared("<Soft>", 1.4, 0.01), compared("Other", -0.5, 0.3, **equivalence(0.06))],
            }
        ),
    }
    chosen = {"pauses × 1": store(make_record("symmetric", 2, 1.0, dev=16.0, test=16.0).to_json())}
    job = DifferencesReportJob(title="Regret", settings=settings, chosen=chosen, kicker="Rules", notes=["A <note>."])
    read = run_report(job)
    lines = read("table.md").splitlines()
    assert lines[0] == "|  | pauses × 1 | pauses × 4 | mean |"
    assert lines[2:5] == [
        "| best n [%] | 16.0 (n = 2) | 18.0 |  |",
        "| <Soft> | +0.20 ≈ [−0.50, +0.90] | **+1.40 [+0.40, +2.40]** | +0.80 |",
        "| Other | – | −0.50 [−1.50, +0.50] | −0.50 |",
    ]
    page = read("index.html")
    assert "With 4 speakers" not in page  # over seeds, too
    assert page.count("With 5 speakers the intervals are too narrow, and no difference can be significant.") == 1
    assert page.count("p of a difference of 0.5 points or more") == 1
    assert "A &lt;note&gt;." in page and "<th>&lt;Soft&gt;</th>" in page and "<b>+1.40<br/>[+0.40, +2.40]</b>" in page


EXCHANGE = {
    "reference": "CTC",
    "target": 1.0,
    "speakers": 24,
    "curves": {
        "CTC": [{"hours": 0.5, "rates": [30.0, 32.0]}, {"hours": 1.0, "rates": [20.0, 20.0]}],
        "KD & more": [
            {"hours": 0.5, "rates": [25.0, 25.0]},
            {"hours": 2.0, "rates": [15.0, 17.0], **equivalence(0.01)},
        ],
    },
    "crossings": {"KD & more": {"hours": 0.7654, "low": 0.0, "high": None}},
}


def test_rates_over_hours_and_what_they_are_worth(store, run_report, make_record):
    teacher = store(make_record("teacher", None, None, dev=12.0, test=14.0).to_json())
    budgets = {"Equal updates": store(EXCHANGE)}
    job = HoursReportJob(title="Hours", rate="WER", budgets=budgets, notes=["One teacher."], teacher=teacher)
    read = run_report(job)
    lines = read("table.md").splitlines()
    assert lines[2] == "|  | 0.5 h [%] | 1 h [%] | 2 h [%] | hours as good as 1 |"
    assert lines[-1] == "One teacher."
    assert lines[4:6] == [
        "| CTC | 31.0 ± 1.41 | 20.0 ± 0.00 | – | 1 |",
        "| KD & more | 25.0 ± 0.00 | – | 16.0 ± 1.41 ≈ | 0.77 [≤ 0.5, > 2] |",
    ]
    page = read("index.html")
    assert "≈ means as good as “CTC” at 1 h" in lines[0] and lines[0].endswith("The teacher has 14.0 %.")
    assert "KD &amp; more" in page and "One teacher." in page and "Equal updates" in page
    assert "teacher, 14.0 %" in page


@pytest.mark.parametrize(
    ("crossing", "text"),
    [
        ((1.234, 0.6, 2.0), "1.2 [0.6, 2]"),
        ((0.5, 0.0, 0.5), "≤ 0.5 [≤ 0.5, ≤ 0.5]"),
        ((None, None, None), "> 4 [> 4, > 4]"),
        ((4.0, 4.0, None), "4 [4, > 4]"),
        ((None, 2.5, None), "> 4 [2.5, > 4]"),
    ],
)
def test_ends_beyond_what_was_measured(crossing, text):
    found = dict(zip(("hours", "low", "high"), crossing, strict=True))
    assert worth_text(found, hours=[0.5, 1.0, 2.0, 4.0]) == text


def test_many_hours_are_whole_numbers():
    assert worth_text({"hours": 152.0, "low": 99.7, "high": 640.0}, hours=[1.0, 960.0]) == "150 [100, 640]"


@pytest.mark.parametrize(("seeds", "over"), [(2, "seeds and 24 speakers"), (1, "24 speakers")])
def test_one_seed_says_nothing_of_training(seeds, over):
    curves = {
        name: [{**point, "rates": point["rates"][:seeds]} for point in EXCHANGE["curves"][name]]
        for name in EXCHANGE["curves"]
    }
    text = note_of({**EXCHANGE, "curves": curves}, None)
    assert f"interval of the difference over {over}" in text and ("Mean over seeds" in text) == (seeds > 1)


def test_a_curve_is_drawn_for_each_row():
    tree = ElementTree.fromstring(picture(EXCHANGE, "WER"))
    assert len(list(tree.iter("polyline"))) == 2 * 2  # each line and what joins it and its name
    titles = [one.text for one in tree.iter("title")]
    assert titles == [
        *("CTC, 0.5 h: 31.0 %", "CTC, 1 h: 20.0 %"),
        *("KD & more, 0.5 h: 25.0 %", "KD & more, 2 h: 16.0 %"),
    ]


def test_halves_of_an_error_rate_are_equally_far_apart_and_0_is_drawn():
    rates = [40.0, 20.0, 10.0, 0.0]
    curve = [{"hours": hours, "rates": [rate]} for hours, rate in zip((1.0, 2.0, 4.0, 8.0), rates, strict=True)]
    line, _leader = ElementTree.fromstring(picture({**EXCHANGE, "curves": {"CTC": curve}}, "WER")).iter("polyline")
    heights = [float(point.split(",")[1]) for point in line.get("points").split()]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
    assert heights[3] > heights[2]
