"""The filter on stored outputs of a teacher and a validator, and how well it finds wrong labels."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.pseudo_labels.evaluation import auroc, kept_share, recall, recalls
from ctc_kd.pseudo_labels.filter import Decision, Distance, Rule, decide
from ctc_kd.pseudo_labels.phrases import SUBTITLES
from ctc_kd.pseudo_labels.pieces import Piece, Segment
from ctc_kd.pseudo_labels.repetition import LoopRule

LOOP = "and so we have " * 8


def piece(text, *, start=0, seconds=10, source="a"):
    return Piece(source, source, (Segment(start, start + 50 * seconds, text),))


def decision(text, rule, *distance):
    one = piece(text)
    return decide([one], rule, {one.id: Distance(*distance)} if distance else {})[0]


def test_without_a_rule_all_that_says_something_is_kept():
    assert decision(LOOP, Rule()) == Decision(None)
    assert decision("...", Rule()) == Decision("empty")


def test_loops_and_phrases_are_dropped():
    rule = Rule(loops=LoopRule(), phrases=SUBTITLES)
    assert decision(LOOP, rule).reason == "loop"
    assert decision("Thank you.", rule).reason == "phrase"
    assert decision("a plain sentence", rule).reason is None


def test_direct_distances_are_compared_with_alpha():
    assert decision("x", Rule(metric="mer"), 0.4, 0.9, "y") == Decision(None, 0.4)
    assert decision("x", Rule(metric="mer", alpha=0.3), 0.4, 0.9, "y") == Decision("distance", 0.4)
    assert decision("x", Rule(metric="per"), 0.4, 0.9, "y") == Decision("distance", 0.9)
    with pytest.raises(ValueError, match="this one says phonemes"):
        decision("x", Rule(metric="mer"), None, 0.1, "K S", True)


@pytest.mark.parametrize(
    ("text", "validator", "per", "phonemes", "expected"),
    [
        ("fine", "fine", 0.2, False, 0.2),
        ("fine", "other", 3.0, False, 1.0),
        ("fine", LOOP, 3.0, False, 0.0),  # the validator's fault
        (LOOP, "fine", 3.0, False, 1.0),
        (LOOP, LOOP, 0.0, False, 1.0),  # both loop
        ("fine", LOOP, 0.9, True, 0.9),  # phonemes that occur often are no loop
        ("fine", "", 1.0, False, 1.0),
    ],
)
def test_the_composite_distance(text, validator, per, phonemes, expected):
    rule = Rule(metric="composite", loops=LoopRule())
    assert rule.distance(text, Distance(0.0, per, validator, phonemes)) == expected


def test_a_source_with_many_faults_is_dropped_as_a_whole():
    pieces = [piece("good"), piece(LOOP, start=1000, seconds=20), piece("good", source="b"), piece("...", start=1000)]
    rule = Rule(loops=LoopRule())
    assert [one.reason for one in decide(pieces, rule, {})] == [None, "loop", None, "empty"]
    whole = Rule(loops=LoopRule(), most_faults=0.5)
    assert [one.reason for one in decide(pieces, whole, {})] == ["source", "loop", None, "empty"]


@pytest.mark.parametrize(
    "arguments",
    [{"metric": "wer"}, {"metric": "composite"}, {"alpha": -0.1}, {"alpha": float("nan")}, {"most_faults": 1}],
)
def test_rules_that_make_no_sense_are_refused(arguments):
    with pytest.raises(ValueError, match="expected|LoopRule"):
        Rule(**arguments)


LABELS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.35, 0.5, 1.0, 2.0]), st.booleans()), min_size=2, max_size=12)


@settings(max_examples=60)
@given(LABELS)
def test_area_under_the_curve_is_the_probability_of_the_right_order(labels):
    distances, wrong = zip(*labels, strict=True)
    pairs = [(bad > good) + (bad == good) / 2 for bad, w in labels if w for good, v in labels if not v]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert auroc(distances, wrong) == (expected if expected is None else pytest.approx(expected))


def test_recall_and_what_it_costs():
    distances, wrong, seconds = [0.05, 0.45, 0.9, 0.2], [False, True, True, False], [10, 10, 10, 30]
    assert recall(distances, wrong, 0.4) == 1.0
    assert recall(distances, wrong, 0.5) == 0.5
    assert kept_share(distances, seconds, 0.1) == 1 / 6
    found = recalls(distances, wrong, seconds)
    assert found["mean"] == pytest.approx((4 * 1.0 + 4 * 0.5) / 9)
    assert found["highest"] == 1.0  # at 0.2, where two thirds are kept
    assert recalls(distances, [False] * 4, seconds) == {"mean": None, "highest": None}
