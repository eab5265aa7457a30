import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.corpus.transcripts import (
    CHARACTERS,
    fault_of_characters,
    fault_of_words,
    normalise_spaces,
    normalise_text,
    read_texts,
    read_transcripts,
    unknown_characters,
    write_transcripts,
)

words = st.lists(st.text(sorted(CHARACTERS), min_size=1, max_size=8), max_size=5).map(" ".join)
ids = st.from_regex(r"\A[0-9]{1,4}-[0-9]{1,6}-[0-9]{4}\Z")


@given(transcripts=st.dictionaries(ids, words, max_size=8))
def test_what_is_written_is_read_in_the_same_order(transcripts, tmp_path_factory):
    path = tmp_path_factory.mktemp("transcripts") / "transcripts.txt"
    write_transcripts(path, transcripts)
    assert list(read_transcripts(path).items()) == list(transcripts.items())
    assert [file.name for file in path.parent.iterdir()] == ["transcripts.txt"]


@given(text=st.text().filter(lambda text: not fault_of_characters(text)))
def test_texts_of_any_script_and_case_survive(text, tmp_path_factory):
    path = tmp_path_factory.mktemp("transcripts") / "transcripts.txt"
    texts = {"b-1": normalise_spaces(text), "a-1": "Grüß Gott", "a-2": "去 office"}
    write_transcripts(path, texts)
    assert read_texts(path) == texts


def test_spaces_and_forms_of_unicode():
    assert normalise_spaces(" Cafe\u0301\u3000去\x85\n office\u2028x ") == "Café 去 office x"
    assert fault_of_characters("Grüß 去 \u200b") is None
    assert fault_of_characters("a\0b\ud800") == r"the characters '\x00' '\ud800', expected text"


def test_a_repeated_utterance_is_an_error(tmp_path):
    path = tmp_path / "transcripts.txt"
    path.write_text("a-1 X\nb-1 Y\na-1 Z\n")
    with pytest.raises(ValueError, match=r"transcripts.txt:3: utterance a-1 occurs a second time"):
        read_transcripts(path)


def test_transcripts_written_by_hand(tmp_path):
    path = tmp_path / "transcripts.txt"
    path.write_bytes("\ufeff;; by me\r\n a-1\tit's  so\r\n\r\na-2\r\n\ufeffa-3 Yes".encode())
    assert read_transcripts(path) == {"a-1": "IT'S SO", "a-2": "", "a-3": "YES"}


@given(text=st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise_text(text)
    assert normalise_text(once) == once
    assert once == once.strip()
    assert "  " not in once


def test_characters():
    assert normalise_text(" it's\ta  dog\n") == "IT'S A DOG"
    assert unknown_characters("IT'S A DOG") == []
    assert unknown_characters("IT’S 2 DOGS") == ["2", "’"]
    assert unknown_characters(normalise_text("weiß ﬁn")) == ["ß", "ﬁ"]


def test_words_that_no_lexicon_can_have():
    assert fault_of_words("THE DOGS' 'CAUSE A''S") is None
    assert fault_of_words("HE SAID ' GO ' TO ME") == "a word without a letter in \"HE SAID ' GO ' TO ME\""
    assert fault_of_words("A '' B").startswith("a word without a letter")
    assert fault_of_words("ROOM 2").startswith("unknown characters '2'")
