from pathlib import Path

import pytest

from ctc_kd.corpus.word_lists import entries
from ctc_kd.lexicon.pronunciations import lexicon_of, read_lexicon
from ctc_kd.lexicon.published_lexica import TEDLIUM_CORRECTIONS, PublishedLexiconJob

LIBRISPEECH = """A\tAH0
A\tEY1
A''S\tEY1 Z
ABACK  AH0 B AE1 K
READ\tR EH1 D
READ\tR IY1 D
READ\tR IY0 D
TWENTY-ONE\tT W EH1 N T IY0 W AH1 N
"""
TEDLIUM = """'d   D IY
'dour   D AW ER
'll   EH L EH L
's Z
's(2) IH Z
's(3) S
-pau-   P OW
ayışığı EY
bartók B IY EY AA R T IY K EY
deß D IY
goals_new G OW L Z
lead L EH D
lead(2) L IY D
lead's L IY D Z
zzzz(2) Z Z
zzzz Z IY Z
"""


def words(path):
    return Path(path.get_path()).read_text(encoding="utf-8").splitlines()


def test_librispeech(run_here, write):
    job = run_here(PublishedLexiconJob(dictionary=write("librispeech-lexicon.txt", LIBRISPEECH)))
    assert list(read_lexicon(job.out_lexicon.get_path()).items()) == [
        ("A", [("AH",), ("EY",)]),
        ("A''S", [("EY", "Z")]),
        ("ABACK", [("AH", "B", "AE", "K")]),
        ("READ", [("R", "EH", "D"), ("R", "IY", "D")]),
    ]
    assert words(job.out_left_out) == ["TWENTY-ONE"]


def test_tedlium(run_here, write, capsys):
    job = run_here(PublishedLexiconJob(dictionary=write("TEDLIUM.152k.dic", TEDLIUM), corrections=TEDLIUM_CORRECTIONS))
    assert list(read_lexicon(job.out_lexicon.get_path()).items()) == [
        ("'D", [("D",)]),
        ("'DOUR", [("D", "AW", "ER")]),
        ("'LL", [("L",)]),
        ("'S", [("Z",), ("IH", "Z"), ("S",)]),
        ("LEAD", [("L", "EH", "D"), ("L", "IY", "D")]),
        ("LEAD'S", [("L", "IY", "D", "Z")]),
        ("ZZZZ", [("Z", "Z"), ("Z", "IY", "Z")]),
    ]
    assert words(job.out_left_out) == ["-pau-", "ayışığı", "bartók", "deß", "goals_new"]
    assert "left out for characters outside A-Z and ': 5 words: -pau-" in capsys.readouterr().out


def test_line_ends_and_the_byte_order_mark_of_other_systems(run_here, write):
    job = run_here(PublishedLexiconJob(dictionary=write("lexicon.txt", "\ufeffA AH0\r\nB B IY1\r\n")))
    assert read_lexicon(job.out_lexicon.get_path()) == {"A": [("AH",)], "B": [("B", "IY")]}


def test_corrections_add_no_words(run_here, write):
    job = run_here(
        PublishedLexiconJob(dictionary=write("small.dic", "'ll EH L EH L\na AH\n"), corrections=TEDLIUM_CORRECTIONS)
    )
    assert read_lexicon(job.out_lexicon.get_path()) == {"'LL": [("L",)], "A": [("AH",)]}


@pytest.mark.parametrize("line", ["cat", "cat K AE X", "cat K AE T#", "cat K [UNKNOWN] T", "kłos(2)"])
def test_a_bad_line_is_named(run_here, write, line):
    dictionary = write("TEDLIUM.152k.dic", f"a AH\n\n{line}\n")
    with pytest.raises(ValueError) as error:
        run_here(PublishedLexiconJob(dictionary=dictionary, corrections=TEDLIUM_CORRECTIONS))
    assert str(error.value).startswith(f"{dictionary.get_path()}:3: '{line}': expected")


def test_a_file_without_words_is_an_error(run_here, write):
    with pytest.raises(ValueError, match="empty.txt: no word with a pronunciation"):
        run_here(PublishedLexiconJob(dictionary=write("empty.txt", "\n")))


def test_letters_that_become_english_in_upper_case_are_left_out():
    odd = [chr(code) for code in range(128, 0x3000) if chr(code).upper().isascii() and not chr(code).isspace()]
    assert "ß" in odd and "ı" in odd
    lexicon, left_out = lexicon_of(entries((f"{letter} AH" for letter in odd), name="odd"))
    assert (lexicon, [entry.written for entry in left_out]) == ({}, odd)
