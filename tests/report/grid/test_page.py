"""The page: parses, needs nothing from elsewhere, says first what was found, and survives any hole in the grid."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctc_kd.experiments.published import published_reference, published_wer
from ctc_kd.report.grid.figures import axis_labels, figure1, figure1_series
from ctc_kd.report.grid.findings import caution, headline, key_figures
from ctc_kd.report.grid.page import Page
from ctc_kd.report.grid.results import Results
from ctc_kd.report.names import row_name

COVERAGE = {
    "utterances": 20,
    "frames": 9000,
    "frame_shift_s": 0.04,
    "blank_share": 0.6,
    "mean_entropy": 0.25,
    "selections": [{"rule": "symmetric", "parameter": 2, "frames": 6300, "share": 0.7}],
    "spikes": {
        "count": 2000,
        "per_second": 5.6,
        "mean_length_frames": 1.8,
        "single_frame_share": 0.5,
        "mean_gap_frames": 2.7,
        "length_histogram": {"1": 1000, "2": 600, "9": 300, "12": 100},
    },
}
CURVE = [
    {"epoch": epoch, "learning_rate": 1e-3, "scores": {"train_loss_kd": 2 / epoch, "dev_loss_kd": 3 / epoch}}
    for epoch in range(1, 9)
]


def page_of(results, **fields):
    values = {"title": "T", "coverage": None, "curves": {}, "lm_statistics": {}, "notes": []}
    return Page(results=results, **{**values, **fields}).html()


class Checker(HTMLParser):
    """Collects text, anchors and links; complains of tags that are not closed."""

    VOID = {"meta", "br", "hr", "img", "link", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.ids, self.text = [], [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "srcset", "data", "action")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another tag: {self.open}"

    def handle_data(self, data):
        self.text += data.replace("\u00a0", " ")


def parse(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert not checker.open
    return checker


@pytest.fixture
def results(partial_grid):
    return Results(partial_grid, published_reference("tedlium2"))


def test_page_is_self_contained_and_complete(results):
    page = page_of(
        results,
        title="A <title> & more",
        coverage=COVERAGE,
        curves={"symmetric-p2-l1.0": CURVE},
        lm_statistics={"LM perplexity": 38.424},
        notes=["Recorded by <nobody>."],
    )
    checker = parse(page)
    assert not re.search(r"https?:|//|@import|url\(", page)
    assert not {"script", "link", "img", "iframe", "object"} & set(checker.tags)
    assert all(link.startswith("#") and link[1:] in checker.ids for link in checker.links)
    assert checker.ids == ["table-1", "table-2", "figure-1", "coverage", "curves", "rows", "data"]
    for text in ("A <title> & more", "Recorded by <nobody>.", "38.42", "n = 2", "selected_frames", "TrainJob.AbCdEf"):
        assert text in checker.text
    assert checker.text.index("Symmetric selection with n = 2 at λ = 1.0") < checker.text.index("Table 1")


def test_each_of_many_losses_has_a_line_and_a_colour(results):
    names = ["kd_blank", "kd_labels", "ctc", "cr", "ictc"]
    curve = [
        {"epoch": epoch, "learning_rate": 1e-3, "scores": {f"dev_loss_{name}": 2 / epoch for name in names}}
        for epoch in (1, 2)
    ]
    page = page_of(results, curves={"factorised-l1.0": curve})
    assert sorted(re.findall(r"line dev c(\d)", page)) == ["0", "1", "2", "3", "4"]
    assert "KD BLANK" in page


def test_headline(results):
    assert headline(results) == (
        "Symmetric selection with n = 2 at λ = 1.0, trained without transcripts, reaches 17.6 % WER on test, "
        "20 % relative below the CTC baseline (22.0 %); the teacher has 9.0 %."
    )
    assert [(figure.label, row_name(figure.cell)) for figure in key_figures(results)] == [
        ("Teacher", "The teacher"),
        ("CTC baseline", "The CTC baseline"),
        ("Best with transcripts", "Plain KD at λ = 0.9"),
        ("Best without transcripts", "Symmetric selection with n = 2 at λ = 1.0"),
    ]


def test_headline_admits_chance_and_losses(make_record):
    baseline = make_record("baseline", dev=20, test=20)
    worse = make_record("all", None, 0.25, dev=21, test=21)
    assert headline(Results([baseline, worse])) == (
        "Plain KD at λ = 0.25 reaches 21.0 % WER on test, 5 % relative above the CTC baseline (20.0 %), "
        "which may be chance."
    )
    assert headline(Results([worse])) == "Plain KD at λ = 0.25 reaches 21.0 % WER on test."
    assert headline(Results([baseline])) == "The CTC baseline has 20.0 % WER on test."


def test_headline_is_about_dev_where_test_was_not_searched(make_record):
    records = [make_record("baseline", dev=20, test=22), make_record("symmetric", 2, 1.0, dev=16, test=None)]
    assert headline(Results(records)) == (
        "Symmetric selection with n = 2 at λ = 1.0, trained without transcripts, reaches 16.0 % WER on dev, "
        "20 % relative below the CTC baseline (20.0 %)."
    )
    assert "– " not in headline(Results(records[1:]))


def test_the_paired_test_decides_what_may_be_chance(make_record, significance):
    """2 points of 1,000 words are chance for independent errors, and need not be for the same utterances."""
    records = [make_record("baseline", dev=20, test=20), make_record("all", None, 0.9, dev=18, test=18)]
    assert "may be chance" in headline(Results(records))
    for p, chance, count in ((0.001, False, 1), (0.2, True, 0)):
        tested = significance({"baseline": 20.0, "all-l0.9": 18.0}, [("all-l0.9", "baseline", p)])
        results = Results(records, significance=tested)
        assert ("may be chance" in headline(results)) == chance
        assert caution(results) == (
            f"{count} of 1 students differ from the CTC baseline by more than chance in the choice of test speakers "
            "(5 %, corrected for the number of comparisons). Every row is one training with one seed."
        )


def test_caution_without_a_paired_test(make_record):
    baseline = make_record("baseline", dev=20, test=20)
    assert caution(Results([baseline])) == (
        "The test set has 1\u2009000 words: differences below about 3.5 points of WER may be chance (5 %, errors taken "
        "as independent). Every row is one training with one seed."
    )
    assert caution(Results([make_record("all", None, 0.9, dev=20, test=None)])).startswith("The dev set has")


def test_trainings_that_did_not_begin_to_speak_are_named(make_record):
    speaks = make_record("all", None, 0.9, dev=20, test=20)
    silent = make_record("baseline", dev=80, test=80)
    named = "Less than a quarter of the words of dev are right in what baseline wrote."
    assert named in page_of(Results([speaks, silent]))
    many_insertions = replace(silent.dev, substitutions=500, deletions=200, insertions=100)
    assert named not in page_of(Results([speaks, replace(silent, dev=many_insertions)]))


def test_figure1_joins_elimination_as_n_0(results):
    assert figure1_series(results) == {
        0.25: ([(1, 18.5)], 19.0),
        0.9: ([(1, 17.2)], 17.0),
        1.0: ([(0, 18.0), (1, 16.4), (2, 16.0)], 17.5),
    }


def test_any_number_of_distillation_scales_has_colours(make_record):
    scales = [0.1, 0.25, 0.4, 0.6, 0.9, 1.0]
    rows = [make_record("symmetric", n, weight, dev=16, test=17) for weight in scales for n in (1, 2)]
    assert set(re.findall(r"\bc\d+\b", page_of(Results(rows)).split("<body>")[1])) == {
        f"c{number}" for number in range(5)
    }


def test_figure1_has_room_for_any_n(results, make_record):
    """Plain KD stands right of all of them."""
    assert list(axis_labels(results)) == [0, 1, 2, 3, 4, 5, 6.4]
    wider = Results([*results.records, make_record("symmetric", 8, 1.0, dev=16, test=17)])
    assert list(axis_labels(wider)) == [0, 1, 2, 3, 4, 5, 8, 9.4]
    page = page_of(wider)
    at = {text: float(x) for x, text in re.findall(r'<text x="([\d.]+)"[^>]*>(8|all)</text>', page)}
    point = re.search(r"rotate\(45 ([\d.]+) [^>]*><title>λ = 1.0, n = 8:", page)
    assert float(point[1]) == at["8"] < at["all"]


def test_without_baseline_nothing_is_compared_with_it(make_record, significance):
    """As where students learn from untranscribed audio."""
    rows = [make_record("teacher", dev=8, test=9), make_record("all", None, 1.0, dev=17, test=18)]
    results = Results(rows, significance=significance({"teacher": 9.0, "all-l1": 18.0}, []))
    assert caution(results).startswith("The test set has 1\u2009000 words")
    assert "significance" not in parse(page_of(results)).ids


def test_figure1_has_the_papers_points_of_the_same_corpus_only(make_record):
    for corpus, reference, hollow in (
        ("tedlium2", "tedlium2", 1),
        ("demo", "tedlium2", 0),
        ("librispeech-other", "librispeech-other", 0),
    ):
        record = make_record("symmetric", 1, 1.0, dev=6.0, test=7.0, corpus=corpus)
        page = page_of(Results([record], published_reference(reference)))
        assert page.count('class="mark hollow') == hollow
        assert ("Hollow" in page) == bool(hollow)


def test_the_papers_number_of_a_row_says_its_hyper_parameter(make_record):
    published = published_wer("tedlium2", "symmetric", 1.0)
    page = page_of(Results([make_record("symmetric", 5, 1.0, dev=6.0, test=7.0, published=published)]))
    assert "dev 5.6, test 6.3 (n\u00a0=\u00a02)" in page


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_page_of_any_part_of_the_grid(partial_grid, data):
    records = data.draw(st.lists(st.sampled_from(partial_grid), min_size=1, unique_by=lambda record: record.row))
    untested = data.draw(st.sets(st.sampled_from([record.row for record in records])))
    records = [replace(record, test=None) if record.row in untested else record for record in records]
    records += [
        replace(record, seed=seed) for record in records for seed in data.draw(st.sets(st.integers(1, 2), max_size=2))
    ]
    reference = data.draw(st.sampled_from([None, published_reference("librispeech-other")]))
    page = page_of(Results(records, reference))
    assert "nan" not in parse(page).text
    assert "None" not in parse(page).text


def test_significance_section(make_record, significance):
    records = [
        make_record("baseline", dev=20, test=22),
        make_record("symmetric", 1, 0.9, dev=17, test=None),
        make_record("symmetric", 2, 0.9, dev=16, test=18),
    ]
    tested = significance({"baseline": 22.0, "symmetric-l0.9": 18.0}, [("symmetric-l0.9", "baseline", 0.0)], speakers=9)
    checker = parse(page_of(Results(records, significance=tested)))
    assert "significance" in checker.ids
    for text in ("−4.00 [−4.50, −3.50]", "< 0.001", "With 9 speakers the intervals are too narrow."):
        assert text in checker.text


def test_one_seed_has_no_spread(results):
    assert "±" not in page_of(results)


def test_seeds_on_the_page(make_record):
    records = [make_record("baseline", dev=dev, test=22, seed=seed) for seed, dev in ((1, 20.0), (2, 21.0))]
    text = parse(page_of(Results(records))).text
    assert "dev 20.5 ± 0.71 %" in text
    assert "over 2 seeds (1, 2)" in text
    assert "Rows are means over 2 seeds." in text
    assert text.count("The CTC baseline") >= 2  # each row in the list of rows


@pytest.mark.parametrize("methods", [("teacher",), ("baseline", "symmetric"), ("teacher", "all")])
def test_figure1_files_of_parts_of_the_grid(partial_grid, methods, tmp_path):
    figure1(Results([record for record in partial_grid if record.method in methods]), str(tmp_path))
    assert (tmp_path / "figure1.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (tmp_path / "figure1.svg").read_text()
