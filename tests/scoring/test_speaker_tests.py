"""Paired tests over speakers: against plain loops, by hand, and on pairs of rows that do not differ."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.scoring.speaker_tests import FEW_SPEAKERS, draws, holm, interval, sign_flip_p

# speaker -> (words, errors of row A, errors of row B) of each utterance
SPEAKERS = [
    [(10, 3, 1), (7, 0, 0), (12, 4, 4)],
    [(5, 1, 2)],
    [(9, 2, 1), (11, 5, 3)],
    [(20, 2, 2), (3, 1, 0)],
    [(8, 1, 1)],
    [(15, 6, 5), (6, 0, 1)],
]
WORDS, *ERRORS = np.array([np.sum(utterances, axis=0) for utterances in SPEAKERS], dtype=float).T
SURPLUS = ERRORS[0] - ERRORS[1]


def difference(drawn):
    """WER of A minus WER of B over a list of speakers, utterance by utterance."""
    utterances = [utterance for speaker in drawn for utterance in SPEAKERS[speaker]]
    words = sum(utterance[0] for utterance in utterances)
    return 100 * sum(utterance[1] - utterance[2] for utterance in utterances) / words


def test_interval_of_a_plain_loop_over_the_same_samples():
    samples = draws(len(SPEAKERS), 200, seed=3)
    assert samples.shape == (200, 6) and (samples.sum(axis=1) == 6).all()
    loop = [difference([speaker for speaker, times in enumerate(sample) for _ in range(times)]) for sample in samples]
    assert interval(SURPLUS, WORDS, samples) == pytest.approx(tuple(np.percentile(loop, [2.5, 97.5])))


def test_interval_of_a_plain_bootstrap():
    """Another generator and speakers drawn one by one: the same interval within the noise of the samples."""
    generator = random.Random(5)
    loop = [difference(generator.choices(range(len(SPEAKERS)), k=len(SPEAKERS))) for _ in range(10_000)]
    found = interval(SURPLUS, WORDS, draws(len(SPEAKERS)))
    assert found == pytest.approx(tuple(np.percentile(loop, [2.5, 97.5])), abs=0.15)


SURPLUSES = st.lists(st.integers(-20, 20), min_size=1, max_size=8)


@given(SURPLUSES)
def test_exact_p_counts_all_ways_to_swap(surplus):
    sums = [abs(sum(map(int.__mul__, signs, surplus))) for signs in itertools.product((1, -1), repeat=len(surplus))]
    at_least_as_large = sum(value >= abs(sum(surplus)) for value in sums)
    found = sign_flip_p(np.array(surplus, dtype=float))
    assert found == at_least_as_large / len(sums)
    assert found == sign_flip_p(-np.array(surplus, dtype=float))
    assert found >= 2 / 2 ** len(surplus)


@given(SURPLUSES)
def test_means_over_seeds_are_not_rounded_apart(surplus):
    assert sign_flip_p(np.array(surplus) / 3) == sign_flip_p(np.array(surplus, dtype=float))


def test_random_ways_to_swap_agree_with_all():
    """19 speakers and a twentieth whose rows are equal: the same p, counted and drawn."""
    surplus = np.random.default_rng(4).integers(-10, 13, size=FEW_SPEAKERS - 1).astype(float)
    exact = sign_flip_p(surplus)
    assert 0.02 < exact < 0.2
    assert sign_flip_p(np.append(surplus, 0.0)) == pytest.approx(exact, abs=0.01)
    assert 0 < sign_flip_p(np.full(FEW_SPEAKERS, 5.0)) < 0.0003


def equal_rows(speakers, number):
    """Errors of two equal rows, and words: speakers of unlike size and difficulty, and chance in each row."""
    generator = np.random.default_rng(speakers)
    for _ in range(number):
        words = generator.integers(50, 500, size=speakers).astype(float)
        difficulty = generator.gamma(4, 0.05, size=speakers)
        one, other = (generator.poisson(words * difficulty * generator.gamma(20, 1 / 20, speakers)) for _ in range(2))
        yield (one - other).astype(float), words


@pytest.mark.parametrize("speakers", [4, 6, 12, 24])
def test_equal_rows_seldom_differ_by_more_than_chance(speakers):
    """At most 5 of 100 pairs have p < 0.05, for any number of speakers; 600 pairs leave a noise of 1 of 100."""
    alarms = [sign_flip_p(surplus) < 0.05 for surplus, _ in equal_rows(speakers, 600)]
    assert np.mean(alarms) < 0.075
    if speakers == 4:
        assert not any(alarms)


@pytest.mark.parametrize(("speakers", "least", "most"), [(4, 0.70, 0.86), (6, 0.80, 0.91), (24, 0.88, 0.97)])
def test_intervals_of_few_speakers_are_too_narrow(speakers, least, most):
    samples = draws(speakers, 1000)
    intervals = [interval(surplus, words, samples) for surplus, words in equal_rows(speakers, 600)]
    assert least < np.mean([low <= 0 <= high for low, high in intervals]) < most


def test_one_of_twenty_tables_of_equal_rows_has_a_false_alarm():
    """Ten comparisons: without the correction every third table has one."""
    pairs = iter(equal_rows(12, 3000))
    tables = [[sign_flip_p(next(pairs)[0]) for _ in range(10)] for _ in range(300)]
    assert np.mean([min(ps) < 0.05 for ps in tables]) > 0.3
    assert np.mean([min(holm(ps)) < 0.05 for ps in tables]) < 0.085


def test_a_difference_is_found_by_few_speakers():
    surplus = np.array([12.0, 9.0, 15.0, 4.0, 8.0, 11.0])
    assert sign_flip_p(surplus) == 2 / 64
    assert sign_flip_p(surplus[:5]) == 2 / 32


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_corrects_upwards_and_keeps_the_order(ps):
    corrected = holm(ps)
    assert all(before <= after <= 1 for before, after in zip(ps, corrected, strict=True))
    assert [corrected[i] for i in np.argsort(ps)] == sorted(corrected)
