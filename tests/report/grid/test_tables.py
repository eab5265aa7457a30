"""Tables and the rules behind them, from records made by hand."""

import pytest

from ctc_kd.experiments.published import published_reference, published_wer
from ctc_kd.methods import METHODS, Method, Parameter
from ctc_kd.report.grid.coverage_table import coverage_markdown, coverage_shares
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.tables import table1_markdown, table2_markdown


def lines(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_table1(partial_grid):
    assert lines(table1_markdown(Results(partial_grid))) == [
        "| Model | Distillation scale | dev | test |",
        "| --- | ---: | ---: | ---: |",
        "| Teacher | – | 8.0 | 9.0 |",
        "| Baseline | – | 20.0 | 22.0 |",
        "| KD | 0.25 | 19.0 | 21.0 |",
        "|  | 0.9 | **17.0** | 18.5 |",
        "|  | 1.0 | 17.5 | **18.0** |",
        "| Blank elim. | 0.25 | – | – |",
        "|  | 0.9 | – | – |",
        "|  | 1.0 | 18.0 | 19.0 |",
    ]


def test_table2_chooses_on_dev(partial_grid):
    """n = 2 has the lower dev WER at lambda = 1.0, and n = 1 the lower test WER; KD's best scale on dev is 0.9."""
    assert lines(table2_markdown(Results(partial_grid))) == [
        "| Blank selection | KD scale | Hyper-param. | dev | test |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| – (KD) | 0.9† | – | 17.0 | 18.5 |",
        "| Blank elim. | 1.0† | – | 18.0 | 19.0 |",
        "| Symmetric | 0.25 | n = 1 | 18.5 | 20.0 |",
        "|  | 0.9 | n = 1 | 17.2 | 18.2 |",
        "|  | 1.0 | n = 2 | **16.0** | **17.6** |",
        "| Trim | 0.25 | – | – | – |",
        "|  | 0.9 | – | – | – |",
        "|  | 1.0 | – | 17.8 | 18.8 |",
        "| Threshold | 0.25 | – | – | – |",
        "|  | 0.9 | – | – | – |",
        "|  | 1.0 | α = 0.9 | 17.6 | 18.6 |",
        "| Random | 0.25 | – | – | – |",
        "|  | 0.9 | – | – | – |",
        "|  | 1.0 | β = 0.5 | 18.2 | 19.2 |",
    ]


def test_numbers_of_another_corpus_are_called_so(partial_grid):
    results = Results(partial_grid, published_reference("tedlium2"))
    text = table2_markdown(results)
    assert "cannot be compared with ours" in text
    header, symmetric = lines(text)[0], lines(text)[6]
    assert header.endswith("| Paper, TED-LIUM v2: hyper-param. | Paper, TED-LIUM v2: dev | Paper, TED-LIUM v2: test |")
    assert symmetric == "|  | 1.0 | n = 2 | **16.0** | **17.6** | n = 2 | 5.6 | 6.3 |"


def test_numbers_of_the_same_corpus_stand_beside(make_record):
    record = make_record("baseline", dev=6.3, test=7.2, corpus="tedlium2")
    text = table1_markdown(Results([record], published_reference("tedlium2")))
    assert "cannot be compared" not in text
    assert "| Baseline | – | **6.3** | **7.2** | 6.4 | 7.0 |" in lines(text)
    assert lines(text)[2] == "| Teacher | – | – | – | 4.8 | 5.4 |"


def test_tie_on_dev_takes_the_smaller_parameter_whatever_test_says(make_record):
    records = [
        make_record("symmetric", n, 0.9, dev=dev, test=test) for n, dev, test in [(3, 15, 10), (1, 16, 9), (2, 15, 12)]
    ]
    assert Results(records).best("symmetric", 0.9).parameter == 2


def test_further_scales_and_rules_get_rows(make_record):
    records = [make_record("prior", 0.5, 0.125, dev=18, test=19)]
    table = lines(table2_markdown(Results(records)))
    assert table[-4:] == [
        "| Prior | 0.125 | scale = 0.5 | **18.0** | **19.0** |",
        "|  | 0.25 | – | – | – |",
        "|  | 0.9 | – | – | – |",
        "|  | 1.0 | – | – | – |",
    ]


def test_a_new_rule_has_rows(make_record, monkeypatch):
    """Its declaration is all that a report needs (docs/extending.md)."""
    method = Method("new", "New", "A new rule", parameter=Parameter("width", "w", tried=(3,)))
    monkeypatch.setitem(METHODS, "new", method)
    table = lines(table2_markdown(Results([make_record("new", 3, 1.0, dev=18, test=19)])))
    assert table[-3:] == [
        "| New | 0.25 | – | – | – |",
        "|  | 0.9 | – | – | – |",
        "|  | 1.0 | w = 3 | **18.0** | **19.0** |",
    ]


def test_a_method_without_a_teacher_has_one_row(make_record):
    records = [make_record("soft", None, 1.0, dev=17, test=18), make_record("cr_ctc", 0.2, dev=18, test=19)]
    assert lines(table2_markdown(Results(records)))[-4:] == [
        "| Soft | 0.25 | – | – | – |",
        "|  | 0.9 | – | – | – |",
        "|  | 1.0 | – | **17.0** | **18.0** |",
        "| CR-CTC | – | α = 0.2 | 18.0 | 19.0 |",
    ]


def test_two_records_of_one_cell_are_refused(make_record):
    records = [make_record("baseline", dev=20, test=21, row=row) for row in ("first", "again")]
    with pytest.raises(ValueError, match="first and again"):
        Results(records)


def test_a_row_that_was_not_searched_on_test_has_a_dash(make_record):
    """Figure 1 needs dev only; the table shows the best on dev, whatever test scores the others have."""
    records = [
        make_record("symmetric", 1, 0.9, dev=17, test=18),
        make_record("symmetric", 2, 0.9, dev=16, test=None),
        make_record("symmetric", 1, 1.0, dev=18, test=19),
    ]
    table = lines(table2_markdown(Results(records)))
    assert table[5:7] == ["|  | 0.9 | n = 2 | **16.0** | – |", "|  | 1.0 | n = 1 | 18.0 | **19.0** |"]


def test_seeds_are_one_row_with_mean_and_spread(make_record):
    wers = {1: (16.0, 18.0), 2: (16.4, 18.0), 3: (16.2, 18.3)}
    records = [make_record("baseline", dev=20, test=22)]
    records += [make_record("all", None, 0.9, dev=dev, test=test, seed=seed) for seed, (dev, test) in wers.items()]
    text = table1_markdown(Results(records))
    assert "| Baseline | – | 20.0 | 22.0 |" in lines(text)
    assert "|  | 0.9 | **16.2** ± 0.20 | **18.1** ± 0.17 |" in lines(text)
    assert "Mean ± standard deviation (divisor n − 1) over 3 seeds (1, 2, 3); rows without ± are one training." in text


def test_records_of_two_corpora_are_refused(make_record):
    records = [make_record("teacher", dev=5, test=6), make_record("baseline", dev=5, test=6, corpus="other")]
    with pytest.raises(ValueError, match="baseline is of corpus other"):
        Results(records)


def test_coverage(make_record):
    spikes = {"count": 0, "per_second": 0.0, "mean_gap_frames": None, "length_histogram": {}}
    coverage = {
        "utterances": 2,
        "frames": 9000,
        "frame_shift_s": 0.04,
        "blank_share": 1.0,
        "mean_entropy": 0.25,
        "selections": [
            {"rule": "symmetric", "parameter": 2, "frames": 6300, "share": 0.7},
            {"rule": "trim", "parameter": None, "frames": 7200, "share": 0.8},
        ],
        "spikes": spikes,
    }
    results = Results([make_record("baseline", dev=20, test=21)], published_reference("tedlium2"))
    text = coverage_markdown(coverage, results)
    assert lines(text)[2:] == [
        "| Symmetric selection | n = 2 | 6\u2009300 | 70.0 % | 69 % |",
        "| Trimming | – | 7\u2009200 | 80.0 % | – |",
    ]
    assert coverage_shares(coverage) == {"Symmetric, n = 2": "70.0 %", "Trim": "80.0 %"}
    assert "- Speech: 0.10 h, 2 utterances" in text
    assert "First frame" not in text  # the file of an earlier version does not say it
    for first_centre_s, where in ((0.02246875, "at 22.5 ms, 5.0 ms before"), (0.03653125, "at 36.5 ms, 9.1 ms after")):
        text = coverage_markdown({**coverage, "first_centre_s": first_centre_s}, results)
        assert f"- First frame: {where} the student’s" in text


def test_published_numbers():
    assert published_wer("tedlium2", "symmetric", 1.0) == {"dev": 5.6, "test": 6.3, "parameter": 2}
    assert published_wer("librispeech-other", "teacher", None) == {"dev": 4.0, "test": 4.0, "parameter": None}
    assert published_wer("tedlium2", "prior", 1.0) is None
    assert published_wer("demo", "baseline", None) is None
    for corpus, best in (("tedlium2", 5.6), ("librispeech-other", 5.6)):
        rows = [row for row in published_reference(corpus)["rows"] if row["method"] != "teacher"]
        assert len(rows) == 1 + 6 * 3
        assert min(row["dev"] for row in rows) == best
