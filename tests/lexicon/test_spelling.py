"""Spelling with characters and pieces: one normal form, and nothing that is missing goes by in silence."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.inventory import Inventory, normalise
from ctc_kd.lexicon.spelling import MissingCharacters, Speller, spelled


def characters(labels, *, separator="|", case="lower"):
    marks = (separator,) if separator else ()
    return Inventory("characters", ("_", *marks, *labels), blank=0, case=case, boundary=separator)


@pytest.mark.parametrize(
    ("text", "case", "written"),
    [
        ("  It’s\u00a0 mine ", "lower", "it's mine"),
        ("ʼn ‘Tis", "upper", "'N 'TIS"),
        ("Cafe\u0301", "lower", "café"),
        ("Straße ЁЖ", "upper", "STRASSE ЁЖ"),
        ("Ёж и Лиса", "lower", "ёж и лиса"),
        ("Straße", "keep", "Straße"),
        ("你好 世界", "keep", "你好 世界"),
        ("1999 – x̂", "upper", "1999 – X̂"),
    ],
)
def test_one_way_to_write(text, case, written):
    assert normalise(text, case=case) == written


@given(st.text(), st.sampled_from(["upper", "lower", "keep"]))
def test_normal_texts_stay_as_they_are(text, case):
    once = normalise(text, case=case)
    assert normalise(once, case=case) == once
    assert unicodedata.is_normalized("NFC", once)


def test_an_apostrophe_that_is_a_label_stays():
    ukrainian = characters("п’ять", case="lower")
    assert ukrainian.normalised("П’ять") == "п’ять"
    assert Speller(ukrainian).labels("п’ять") == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("labels", "separator", "text", "found"),
    [
        ("абв", "|", "АБ в", ["а", "б", "|", "в"]),
        ("你好们", "", "你们 好", ["你", "们", "好"]),
        ("caféx\u0302", "|", "Cafe\u0301 x\u0302", ["c", "a", "f", "é", "|", "x", "\u0302"]),
        ("19a", "|", "91 a", ["9", "1", "|", "a"]),
    ],
)
def test_characters_of_any_script(labels, separator, text, found):
    inventory = characters(labels, separator=separator)
    assert [inventory.labels[label] for label in Speller(inventory).labels(text)] == found


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["e", "\u0301", "x", "\u0302"], ["e", "\u0301", "x", "\u0302"]),
        (["e\u0301", "x\u0302"], ["e\u0301", "x\u0302"]),
        (["é", "x\u0302"], ["é", "x\u0302"]),
    ],
)
def test_labels_of_others_may_have_letters_and_marks_in_any_form(labels, found):
    inventory = Inventory("characters", ("_", " ", *labels), blank=0, boundary=" ")
    spelled = Speller(inventory).labels("é x\u0302")
    assert [inventory.labels[label] for label in spelled] == [*found[: len(found) // 2], " ", *found[len(found) // 2 :]]
    assert inventory.normalised(inventory.text(spelled)) == "é x\u0302"


@given(st.text(alphabet="ab ’'é", max_size=20))
def test_what_is_spelled_can_be_read(text):
    inventory = characters("ab'é")
    assert inventory.text(Speller(inventory).labels(text)) == inventory.normalised(text)


def test_missing_characters_are_named_once_each():
    with pytest.raises(MissingCharacters, match=re.escape("no label spells 'ж' '9' '|'")) as error:
        Speller(characters("ab")).labels("a9b".replace("9", "жж9") + " a|b")
    assert error.value.characters == ("ж", "9", "|")


TEXTS = {"u1": "ab", "u2": "a9 ё", "u3": "ba"}


def test_a_text_that_cannot_be_spelled_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"(?s)t.txt: 1 problem.*u2: no label spells '9' 'ё'.*missing=\"skip\""):
        list(spelled(Speller(characters("ab")), TEXTS.items(), missing="error", where="t.txt"))


def test_or_it_is_left_out_and_counted(capsys):
    found = dict(spelled(Speller(characters("ab")), TEXTS.items(), missing="skip", where="t.txt"))
    assert found == {"u1": [2, 3], "u3": [3, 2]}
    printed = capsys.readouterr().out
    assert "2 spelled, 1 left out" in printed
    assert "u2: no label spells '9' 'ё'" in printed


def test_nothing_left_is_an_error():
    with pytest.raises(ValueError, match="t.txt: nothing that the labels can spell"):
        list(spelled(Speller(characters("xy")), TEXTS.items(), missing="skip", where="t.txt"))


@pytest.mark.parametrize(("kind", "tokenizer"), [("phonemes", None), ("pieces", None)])
def test_each_kind_has_its_means(kind, tokenizer):
    with pytest.raises(ValueError, match="pronunciation lexicon|pieces of words: a tokenizer is needed"):
        Speller(Inventory(kind, ("a", "_"), blank=1), tokenizer)
