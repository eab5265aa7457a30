import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.inventory import BLANK
from ctc_kd.lexicon.inventory import PHONEMES, UNKNOWN, phonemes

pronunciations = st.lists(st.sampled_from(PHONEMES), min_size=1, max_size=12)


def test_phonemes():
    inventory = phonemes()
    assert list(PHONEMES) == sorted(PHONEMES)
    assert len(PHONEMES) == 39
    assert inventory.labels[:39] == PHONEMES
    assert (inventory.labels[39], inventory.labels[77]) == ("AA#", "ZH#")
    assert len(inventory.labels) == 79
    assert inventory.labels[inventory.blank] == inventory.labels[78] == BLANK


def test_phonemes_with_the_class_that_is_never_a_target():
    inventory = phonemes(80)
    labels = inventory.labels
    assert labels[:39] == PHONEMES
    assert (labels[39], labels[40], labels[78], labels[79]) == (UNKNOWN, "AA#", "ZH#", BLANK)
    assert tuple(name for name in labels if name != UNKNOWN) == phonemes(79).labels
    assert inventory.word(["K", "T"]) == (labels.index("K"), labels.index("T#"))
    with pytest.raises(ValueError, match=r"'\[UNKNOWN\]#' is none of the 80 labels"):
        inventory.word([UNKNOWN])


@pytest.mark.parametrize("num_classes", [0, 78, 81])
def test_other_numbers_of_classes_are_refused(num_classes):
    with pytest.raises(ValueError, match=rf"no inventory of phonemes has {num_classes} classes: expected 79, or 80"):
        phonemes(num_classes)


@given(pronunciations)
def test_only_the_last_phoneme_is_marked(pronunciation):
    word = phonemes().word(pronunciation)
    assert [PHONEMES[label] for label in word[:-1]] == pronunciation[:-1]
    assert word[-1] == PHONEMES.index(pronunciation[-1]) + 39


@given(st.lists(pronunciations, max_size=6))
def test_words_can_be_told_apart_again(words):
    parts, word = [], []
    for label in phonemes().sentence(words):
        name = phonemes().labels[label]
        word.append(name.rstrip("#"))
        if name.endswith("#"):
            parts.append(word)
            word = []
    assert (parts, word) == (words, [])
