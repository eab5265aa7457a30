"""Alignments against plain definitions, the Levenshtein distance, and choices that sclite was seen to make."""

from functools import cache

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.scoring.alignment import Counts, align, count

SENTENCES = st.lists(st.sampled_from(["A", "B", "C", "D'S"]), max_size=9)


def plain_cost(reference, hypothesis):
    @cache
    def cost(i, j):
        if not i or not j:
            return 3 * (i + j)
        same = reference[i - 1] == hypothesis[j - 1]
        return min(cost(i - 1, j - 1) + (0 if same else 4), cost(i - 1, j) + 3, cost(i, j - 1) + 3)

    return cost(len(reference), len(hypothesis))


@given(SENTENCES, SENTENCES)
def test_is_an_alignment_of_lowest_cost(reference, hypothesis):
    pairs = align(reference, hypothesis)
    counts = count(pairs)
    assert [word for word, _ in pairs if word is not None] == reference
    assert [word for _, word in pairs if word is not None] == hypothesis
    assert 4 * counts.substitutions + 3 * (counts.deletions + counts.insertions) == plain_cost(reference, hypothesis)
    assert counts.words == len(reference)
    assert counts.hits + counts.substitutions + counts.insertions == len(hypothesis)


@given(SENTENCES.filter(bool), SENTENCES)
def test_errors_are_levenshtein_or_a_little_more(reference, hypothesis):
    """The weights 4/3 bound the number of errors by 4/3 of the smallest possible number."""
    errors = count(align(reference, hypothesis)).errors
    expected = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    distance = expected.substitutions + expected.deletions + expected.insertions
    assert distance <= errors <= 4 / 3 * distance


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b c d e", "a x c d e", (4, 1, 0, 0)),
        ("a b c d", "c d a b", (2, 0, 2, 2)),
        ("x y z", "", (0, 0, 3, 0)),
        ("", "x", (0, 0, 0, 1)),
        # equally cheap alignments with other counts exist
        ("b b a a c b c c c b a a c c", "c a b b c b a c c c a", (7, 3, 4, 1)),
        ("b b a c b b b b a a b", "b b a c a b c c a b c b a", (7, 4, 0, 2)),
        ("h b b e h a g b c g f a", "e e e g b d b h d e a d f", (3, 8, 1, 2)),
        ("f z w n o d s k a q u", "k q x s u i", (3, 0, 8, 3)),
    ],
)
def test_counts_are_those_of_sclite(reference, hypothesis, expected):
    assert count(align(reference.split(), hypothesis.split())) == Counts(*expected)


def test_word_error_rate_is_over_the_sum_of_utterances():
    counts = Counts(hits=1, deletions=1) + Counts(hits=7, substitutions=1, insertions=2)
    assert (counts.errors, counts.words, counts.wer) == (4, 10, 40.0)
