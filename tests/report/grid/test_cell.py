"""Seeds of one cell, and the two records of a row that dev chose."""

import pytest

from ctc_kd.report.grid.cell import Cell, best_on_dev, fullest
from ctc_kd.report.grid.results import Results


def test_mean_and_spread(make_record):
    cell = Cell.of([make_record("all", None, 0.9, dev=dev, test=18.0, seed=seed) for seed, dev in ((1, 16), (2, 18))])
    assert (cell.seeds, cell.dev.wer, cell.dev.words) == ((1, 2), 17.0, 1000)
    assert cell.dev.spread == pytest.approx(2**0.5)
    assert (cell.test.wer, cell.test.spread) == (18.0, 0.0)


def test_one_seed_is_itself(make_record):
    record = make_record("all", None, 0.9, dev=16.1, test=17.3)
    cell = Cell.of([record])
    assert (cell.dev.wer, cell.test.wer, cell.dev.spread) == (record.dev.wer, record.test.wer, None)


def test_test_counts_once_every_seed_has_it(make_record):
    records = [make_record("all", None, 0.9, dev=16, test=test, seed=seed) for seed, test in ((1, 17.0), (2, None))]
    assert Cell.of(records).test is None


def test_rows_that_differ_in_more_than_the_seed_are_refused(make_record):
    records = [
        make_record("all", None, 0.9, dev=16, test=17, seed=seed, normalisation=normalisation, row=f"row-{seed}")
        for seed, normalisation in ((1, "selected_frames"), (2, "batch"))
    ]
    with pytest.raises(ValueError, match="row-1 and row-2.*normalisation is selected_frames and batch"):
        Results(records)


def test_hyper_parameters_are_chosen_by_the_mean(make_record):
    """n = 1 has the best single row, n = 2 the better mean."""
    wers = {(1, 1): 15.0, (1, 2): 19.0, (2, 1): 16.0, (2, 2): 16.5}
    records = [make_record("symmetric", n, 0.9, dev=wer, test=17, seed=seed) for (n, seed), wer in wers.items()]
    assert Results(records).best("symmetric", 0.9).parameter == 2


def test_a_tie_of_means_is_a_tie_whatever_the_last_digit(make_record):
    """Equal sums of errors: 15.1 and 15.100000000000001 %."""
    cells = [
        Cell.of([make_record("symmetric", n, 0.9, dev=dev, test=None, seed=seed) for seed, dev in enumerate(wers)])
        for n, wers in ((2, (15.0, 15.2)), (1, (14.8, 15.4)))
    ]
    assert cells[0].dev.wer < cells[1].dev.wer
    assert best_on_dev(cells).parameter == 1


def test_the_fuller_of_two_records_counts(make_record):
    on_dev = [make_record("symmetric", n, 0.9, dev=15 + n, test=None) for n in (1, 2)]
    tested = make_record("symmetric", 1, 0.9, dev=16, test=17)
    assert fullest([*on_dev, tested]) == [tested, on_dev[1]]
    assert fullest([tested, *on_dev]) == [tested, on_dev[1]]
    assert Results([*on_dev, tested]).best("symmetric", 0.9).test.wer == 17


def test_two_records_with_other_dev_scores_are_refused(make_record):
    records = [
        make_record("trim", None, 0.9, dev=dev, test=test, row=f"d{dev}") for dev, test in ((16, None), (15, 17))
    ]
    with pytest.raises(ValueError, match="d16 and d15 are the same cell"):
        fullest(records)
