from ctc_kd.lexicon.ipa import ARPABET, IPA
from ctc_kd.pseudo_labels.phonemes import MixedPhonemes

LEXICON = {"OFFICE": [("AO", "F", "AH", "S"), ("AO", "F", "IH", "S")], "DON'T": [("D", "OW", "N", "T")]}
phonemes = MixedPhonemes(LEXICON)


def test_english_has_the_first_pronunciation_and_mandarin_its_pinyin():
    assert phonemes("去Office。") == ["q", "u", "AO", "F", "AH", "S"]
    assert phonemes("Don’t!") == ["D", "OW", "N", "T"]


def test_context_tells_how_a_character_is_read():
    assert phonemes("银行") == ["y", "in", "h", "ang"]
    assert phonemes("行走") == ["x", "ing", "z", "ou"]


def test_both_scripts_sound_alike():
    assert phonemes("點讚") == phonemes("点赞") != []


def test_words_without_pronunciation_are_equal_if_written_alike():
    assert phonemes("'Xyz") == phonemes("XYZ") == ["X", "Y", "Z"]


def test_labels_of_hama_are_the_phonemes_of_lexica():
    assert {ARPABET[label] for label in IPA.values()} == {phoneme.rstrip("012") for phoneme in IPA}
