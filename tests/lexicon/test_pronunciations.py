import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.lexicon.inventory import PHONEMES
from ctc_kd.lexicon.pronunciations import read_lexicon, write_lexicon

pronunciation = st.lists(st.sampled_from(PHONEMES), min_size=1, max_size=6).map(tuple)
lexica = st.dictionaries(
    st.text(string.ascii_uppercase + "'", min_size=1, max_size=6),
    st.lists(pronunciation, min_size=1, max_size=3),
    max_size=6,
)


@given(lexicon=lexica)
def test_what_is_written_is_read_in_the_same_order(lexicon, tmp_path_factory):
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.txt"
    write_lexicon(path, lexicon)
    assert list(read_lexicon(path).items()) == list(lexicon.items())


@pytest.mark.parametrize("line", ["CAT", "CAT K AE1 T", "CAT K AE T#", "CAT [UNKNOWN]"])
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "lexicon.txt").write_text(f"A AH\n{line}\n")
    with pytest.raises(ValueError, match=re.escape(f"lexicon.txt:2: '{line}'")):
        read_lexicon(tmp_path / "lexicon.txt")
