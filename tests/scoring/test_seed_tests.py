"""Tests over seeds and speakers: by hand, against plain loops, and on simulated rows whose difference is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.scoring.seed_tests import (
    Estimate,
    difference_p,
    equivalence_p,
    estimate,
    hierarchical_draws,
    hierarchical_interval,
    over_seeds,
    student_quantile,
    student_tail,
)

HUNDREDS = np.array([100.0, 100.0])


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.7062), (2, 4.3027), (4, 2.7764), (10, 2.2281), (120, 1.9799), (math.inf, 1.95996)]
)
def test_quantiles_of_the_printed_table(freedom, quantile):
    assert student_quantile(0.975, freedom) == pytest.approx(quantile, abs=2e-4)
    if freedom != math.inf:
        assert student_tail(quantile, freedom) == pytest.approx(0.025, abs=1e-5)
        assert student_tail(0.0, freedom) == pytest.approx(0.5)


def test_estimate_by_hand():
    """3 of 100 words; seeds and speakers both deviate by one word, and nothing is left over."""
    found = estimate(np.array([[1.0, 3.0], [3.0, 5.0]]), HUNDREDS)
    assert found == pytest.approx((3.0, math.sqrt(2), 2.0))
    assert difference_p(found) == pytest.approx(2 * student_tail(3 / math.sqrt(2), 2))


def test_one_seed_leaves_the_speakers():
    found = estimate(np.array([[2.0, 4.0, 6.0]]), np.full(3, 100.0))
    assert found == pytest.approx((4.0, 2 / math.sqrt(3), 2.0))


def test_what_is_left_over_is_not_counted_twice():
    """Seeds and speakers have equal means: all deviation is in the pairs of both."""
    found = estimate(np.array([[1.0, -1.0], [-1.0, 1.0]]), HUNDREDS)
    assert found[:2] == (0.0, 0.0)
    assert difference_p(found) == 1.0 and equivalence_p(found, 0.5) == 0.0


def test_one_speaker_leaves_the_seeds():
    found = estimate(np.array([[2.0], [4.0], [6.0]]), np.array([100.0]))
    assert found == pytest.approx((4.0, 2 / math.sqrt(3), 2.0))


def test_one_seed_and_one_speaker_say_nothing():
    found = over_seeds(np.array([[2.0]]), np.array([100.0]))
    assert found == {"differences": [2.0], "spread": None, "low": None, "high": None, "p": 1.0}
    assert equivalence_p(estimate(np.array([[0.0]]), np.array([100.0])), 0.5) == 0.5


def test_interval_of_a_plain_loop_over_the_same_samples():
    generator = np.random.default_rng(3)
    surplus, words = generator.normal(2, 5, size=(3, 6)), generator.integers(50, 200, size=6).astype(float)
    draws = hierarchical_draws(3, 6, samples=200)
    assert [drawn.shape for drawn in draws] == [(200, 3), (200, 6)]
    assert (draws[0].sum(axis=1) == 3).all() and (draws[1].sum(axis=1) == 6).all()
    loop = []
    for by_seed, by_speaker in zip(*draws, strict=True):
        seeds, speakers = (np.repeat(np.arange(len(drawn)), drawn) for drawn in (by_seed, by_speaker))
        errors = sum(surplus[seed, speaker] for seed in seeds for speaker in speakers)
        loop.append(100 * errors / (3 * sum(words[speaker] for speaker in speakers)))
    found = estimate(surplus, words)
    width = student_quantile(0.975, found.freedom) * found.error / (1.959964 * np.std(loop))
    expected = [found.difference + width * (end - found.difference) for end in np.percentile(loop, [2.5, 97.5])]
    assert hierarchical_interval(surplus, words, draws) == pytest.approx(expected)


TRUE_DIFFERENCE = -1.5
"""WER points."""


def rows(number, *, seeds, speakers=24, of_seeds=0.5, of_speakers=1.5, difference=TRUE_DIFFERENCE):
    """Surplus and words of pairs of rows with a known difference, about 15 % apart from it.

    :param of_seeds, of_speakers: standard deviations of the difference, in WER points
    """
    generator = np.random.default_rng([seeds, speakers])
    for _ in range(number):
        words = generator.integers(150, 450, size=speakers).astype(float)
        moved = difference + generator.normal(0, of_seeds, (seeds, 1)) + generator.normal(0, of_speakers, speakers)
        one, other = (generator.poisson(words * (15 + sign * moved / 2) / 100) for sign in (1, -1))
        yield (one - other).astype(float), words


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_95_of_100_intervals_hold_the_true_difference(seeds):
    draws = hierarchical_draws(seeds, 24, samples=500)
    pairs = rows(700, seeds=seeds, of_seeds=0.5 if seeds > 1 else 0.0)
    intervals = [hierarchical_interval(surplus, words, draws) for surplus, words in pairs]
    assert 0.93 < np.mean([low <= TRUE_DIFFERENCE <= high for low, high in intervals]) < 0.97


def test_a_plain_bootstrap_of_three_seeds_is_too_narrow():
    by_seed, by_speaker = hierarchical_draws(3, 24, samples=500)
    held = []
    for surplus, words in rows(300, seeds=3, of_seeds=2.0):
        drawn = 100 * ((by_seed @ surplus) * by_speaker).sum(axis=1) / (3 * (by_speaker @ words))
        low, high = np.percentile(drawn, [2.5, 97.5])
        held.append(low <= TRUE_DIFFERENCE <= high)
    assert np.mean(held) < 0.89  # the stretched one: 93 to 97 of 100, above


def test_equal_rows_have_few_false_alarms():
    ps = [difference_p(estimate(surplus, words)) for surplus, words in rows(700, seeds=3, difference=0.0)]
    assert 0.03 < np.mean(np.array(ps) < 0.05) < 0.07


def test_a_known_difference_is_found():
    ps = [difference_p(estimate(surplus, words)) for surplus, words in rows(100, seeds=5)]
    assert np.mean(np.array(ps) < 0.05) > 0.6


def test_rows_that_differ_by_the_margin_are_seldom_called_equivalent():
    found = [estimate(surplus, words) for surplus, words in rows(700, seeds=3)]
    assert np.mean([equivalence_p(one, -TRUE_DIFFERENCE) < 0.05 for one in found]) < 0.07
    assert np.mean([equivalence_p(one, 4.0) < 0.05 for one in found]) > 0.8


def test_equivalence_by_hand():
    found = Estimate(0.5, 0.25, 10.0)
    assert equivalence_p(found, 1.0) == pytest.approx(student_tail(2.0, 10))
    assert equivalence_p(found, 1.0) == equivalence_p(found._replace(difference=-0.5), 1.0)
    assert equivalence_p(found, 0.25) == pytest.approx(1 - student_tail(1.0, 10))
    with pytest.raises(ValueError, match="a margin of 0 points"):
        equivalence_p(found, 0)


@settings(max_examples=30)
@given(st.floats(-2, 2), st.floats(0.1, 1), st.floats(1, 30), st.floats(0.1, 3))
def test_equivalent_means_that_the_90_percent_interval_is_within_the_margin(difference, error, freedom, margin):
    found = Estimate(difference, error, freedom)
    farthest = abs(difference) + student_quantile(0.95, freedom) * error
    if abs(farthest - margin) > 1e-6:
        assert (equivalence_p(found, margin) < 0.05) == (farthest < margin)


def test_seeds_are_paired():
    """A seed that is bad for both rows does not make them differ."""
    words, speakers = np.full(4, 100.0), np.array([1.0, 2.0, 3.0, 2.0])
    row = np.array([[20.0], [35.0], [5.0]]) + speakers
    other = np.array([[18.0], [33.0], [3.0]]) + speakers[::-1]
    found = over_seeds(row - other, words)
    assert found["differences"] == pytest.approx([2.0] * 3)
    assert found["spread"] == pytest.approx(0.0)
    assert over_seeds(row[:1] - other[:1], words)["spread"] is None
