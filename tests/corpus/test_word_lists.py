import pytest

from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.word_lists import entries, read_words


@pytest.mark.parametrize(
    ("line", "word", "rest"),
    [
        ("the DH AH", "THE", ["DH", "AH"]),
        (" THE\tDH  AH\r\n", "THE", ["DH", "AH"]),
        ("THE(2) DH IY", "THE", ["DH", "IY"]),
        ("(2) DH IY", "(2)", ["DH", "IY"]),
        ("THE 0.5 DH AH", "THE", ["DH", "AH"]),
        ("THE 1 .25 1e-3 -0.5 DH AH", "THE", ["DH", "AH"]),
        ("THE DH AH # as before a consonant", "THE", ["DH", "AH"]),
        ("THE DH AH#", "THE", ["DH", "AH#"]),
        ("it's 17", "IT'S", []),
    ],
)
def test_an_entry(line, word, rest):
    (entry,) = entries([";;; my words\n", "\n", "# and more\n", line], name="words")
    assert (entry.word, entry.rest) == (word, rest)
    assert entry.place == f"words:4: {line.strip()!r}"


def test_words_that_no_transcript_can_have_are_named(tmp_path):
    (tmp_path / "words.txt").write_text("\ufeffcafe\nCAFÉ\n'\n'n'\nE-MAIL\n")
    with pytest.raises(CorpusError) as error:
        read_words(tmp_path / "words.txt")
    assert str(error.value).splitlines()[:4] == [
        f"{tmp_path}/words.txt: 3 problem(s)",
        f"  {tmp_path}/words.txt:2: 'CAFÉ': unknown characters 'É' in 'CAFÉ', expected A-Z and '",
        f'  {tmp_path}/words.txt:3: "\'": a word without a letter in "\'"',
        f"  {tmp_path}/words.txt:5: 'E-MAIL': unknown characters '-' in 'E-MAIL', expected A-Z and '",
    ]
    (tmp_path / "words.txt").write_text("cafe\nTHE(2)\nThe\n")
    assert read_words(tmp_path / "words.txt") == ["CAFE", "THE"]
