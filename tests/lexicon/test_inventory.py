import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.lexicon.inventory import BLANK, PHONEMES, UNKNOWN, end_of_word, labels, labels_with_blank

pronunciations = st.lists(st.sampled_from(PHONEMES), min_size=1, max_size=12)


def test_inventory():
    assert list(PHONEMES) == sorted(PHONEMES)
    assert len(PHONEMES) == 39
    assert labels()[:39] == list(PHONEMES)
    assert (labels()[39], labels()[77]) == ("AA#", "ZH#")
    assert len(labels_with_blank()) == 79
    assert labels_with_blank()[78] == BLANK


def test_inventory_with_the_class_that_is_never_a_target():
    classes = labels_with_blank(80)
    assert classes[:39] == list(PHONEMES)
    assert (classes[39], classes[40], classes[78], classes[79]) == (UNKNOWN, "AA#", "ZH#", BLANK)
    assert classes[:-1] == labels(unknown_label=True)
    assert [name for name in classes if name != UNKNOWN] == labels_with_blank(79)


@pytest.mark.parametrize("num_classes", [0, 78, 81])
def test_other_numbers_of_classes_are_refused(num_classes):
    with pytest.raises(ValueError, match=rf"no label inventory has {num_classes} classes: expected 79, or 80"):
        labels_with_blank(num_classes)


@given(pronunciations)
def test_only_the_last_phoneme_is_marked(pronunciation):
    marked = end_of_word(pronunciation)
    assert list(marked[:-1]) == pronunciation[:-1]
    assert labels().index(marked[-1]) == PHONEMES.index(pronunciation[-1]) + 39


@given(st.lists(pronunciations, max_size=6))
def test_words_can_be_told_apart_again(words):
    sequence = [label for word in words for label in end_of_word(word)]
    parts, word = [], []
    for label in sequence:
        word.append(label.rstrip("#"))
        if label.endswith("#"):
            parts.append(word)
            word = []
    assert (parts, word) == (words, [])
