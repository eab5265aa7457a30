import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.corpus.problems import CorpusError
from ctc_kd.lexicon.inventory import PHONEMES
from ctc_kd.lexicon.pronunciations import read_lexicon, write_lexicon

pronunciation = st.lists(st.sampled_from(PHONEMES), min_size=1, max_size=6).map(tuple)
words = st.text(string.ascii_uppercase + "'", min_size=1, max_size=6).filter(lambda word: word.strip("'"))
lexica = st.dictionaries(words, st.lists(pronunciation, min_size=1, max_size=3, unique=True), max_size=6)


@given(lexicon=lexica)
def test_what_is_written_is_read_in_the_same_order(lexicon, tmp_path_factory):
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.txt"
    write_lexicon(path, lexicon)
    assert list(read_lexicon(path).items()) == list(lexicon.items())


@pytest.mark.parametrize("line", ["CAT", "CAT 0.5", "CAT K AE3 T", "CAT K AE T#", "CAT [UNKNOWN]"])
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "lexicon.txt").write_text(f"A AH\n{line}\n")
    with pytest.raises(ValueError, match=re.escape(f"lexicon.txt:2: '{line}'")):
        read_lexicon(tmp_path / "lexicon.txt")


def test_lexica_written_by_hand(tmp_path):
    path = tmp_path / "lexicon.txt"
    lines = [";;; my words", "the\tDH AH0", "THE(2) 0.3 dh iy # before a vowel", "The DH AH", "cat K AE1 T"]
    path.write_bytes(("\ufeff" + "\r\n".join(lines)).encode())
    assert read_lexicon(path) == {"THE": [("DH", "AH"), ("DH", "IY")], "CAT": [("K", "AE", "T")]}


@pytest.mark.parametrize("word", ["CAFÉ", "'", "TWENTY-ONE", "IT’S"])
def test_a_word_that_no_transcript_can_have_is_named(tmp_path, word):
    (tmp_path / "lexicon.txt").write_text(f"A AH\n{word} AH\n")
    with pytest.raises(CorpusError, match=re.escape(f"lexicon.txt:2: {f'{word} AH'!r}: ")):
        read_lexicon(tmp_path / "lexicon.txt")
