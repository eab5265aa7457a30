"""Mixed units: the normaliser against transformers', distances against plain definitions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.whisper.english_normalizer import BasicTextNormalizer

from ctc_kd.scoring.units import comparable, counts_by_language, error_rate, mixed_units, normalised

MIXED = "我今天下午要去 office 开一个 meeting"


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("aÉß'我們，。 <>[]()½ﬁ…\u0301é-"), max_size=25))
def test_texts_are_written_as_by_whispers_basic_normaliser(text):
    assert normalised(text) == " ".join(BasicTextNormalizer()(text).split())


def test_an_apostrophe_stays_where_words_are_pronounced():
    assert normalised("Don't [MUSIC] «stop»!", kept="'") == "don't stop"
    assert normalised("Don't stop") == "don t stop"
    assert normalised("नमस्ते, दुनिया!", dropped="SP") == "नमस्ते दुनिया"


def test_scripts_are_made_equal():
    assert comparable("點讚 Channel，請不吝") == "点赞 channel 请不吝"


def test_characters_and_words_are_units():
    assert mixed_units(normalised(MIXED)) == [*"我今天下午要去", "office", *"开一个", "meeting"]
    assert mixed_units("用gpu训练") == ["用", "gpu", "训", "练"]
    assert mixed_units("two words") == ["two", "words"]


def test_the_rate_is_of_the_second_text():
    """The teacher is the prediction, the validator the reference: a teacher that adds much is far off."""
    assert error_rate("a b c d".split(), ["a"]) == 3.0
    assert error_rate(["a"], "a b c d".split()) == 0.75
    assert error_rate([], "a b".split()) == 1.0


@pytest.mark.parametrize("prediction", [[], ["a"], ["a", "b"]])
def test_a_validator_that_says_nothing_agrees_with_nothing(prediction):
    assert error_rate(prediction, []) == 1.0


def test_errors_are_counted_by_language():
    reference, prediction = mixed_units(MIXED), mixed_units("我今天要去 offices 开一个一 meeting now")
    characters, words = counts_by_language(prediction, reference)
    assert (characters.words, characters.deletions, characters.insertions, characters.substitutions) == (10, 2, 1, 0)
    assert (words.words, words.substitutions, words.insertions, words.deletions) == (2, 1, 1, 0)
