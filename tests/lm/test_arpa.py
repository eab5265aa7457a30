"""Reading and writing of ARPA files, and what is said of broken ones."""

import gzip

import numpy as np
import pytest

from ctc_kd.lm import arpa, ngram_tree
from ctc_kd.lm.arpa import ArpaReader
from ctc_kd.lm.ngram_tree import NgramTree, find, read_model, write_model


@pytest.fixture(params=[1, 2, 1000])
def lines_at_once(request, monkeypatch):
    monkeypatch.setattr(arpa, "LINES_AT_ONCE", request.param)
    monkeypatch.setattr(ngram_tree, "LINES_AT_ONCE", request.param)


@pytest.mark.parametrize("name", ["lm.arpa", "lm.arpa.gz"])
def test_sections(tmp_path, arpa_text, name, lines_at_once):
    with (gzip.open if name.endswith(".gz") else open)(tmp_path / name, "wt") as file:
        file.write(arpa_text)
    reader = ArpaReader(str(tmp_path / name))
    assert reader.counts == [5, 3, 1]
    words, log10_p, log10_backoff = reader.unigrams()
    assert words == [b"<unk>", b"<s>", b"</s>", b"A", b"B"]
    assert log10_p.tolist() == [-2, -99, -0.5, -0.75, -1]
    assert log10_backoff.tolist() == [0, -0.25, 0, -0.5, -0.125]
    ids = {word: index for index, word in enumerate(words)}
    ngrams, log10_p, log10_backoff = reader.section(2, ids)
    assert ngrams.tolist() == [[1, 4], [4, 3], [3, 2]]
    assert log10_p.tolist() == [-0.25, -0.5, -0.5] and log10_backoff.tolist() == [-0.5, 0, 0]
    assert reader.section(3, ids)[0].tolist() == [[1, 4, 3]]


def test_writing_and_reading_again(tmp_path, arpa_text, lines_at_once):
    (tmp_path / "lm.arpa").write_text(arpa_text)
    model = read_model(str(tmp_path / "lm.arpa"))
    write_model(str(tmp_path / "copy.arpa"), model)
    copy = read_model(str(tmp_path / "copy.arpa"))
    assert copy.words == model.words
    for order in range(1, 4):
        assert copy.tree.keys[order - 1].tolist() == model.tree.keys[order - 1].tolist()
        assert copy.log10_p[order - 1].tolist() == model.log10_p[order - 1].tolist()
        assert copy.log10_backoff[order - 1].tolist() == model.log10_backoff[order - 1].tolist()
    assert "ngram 3=1" in (tmp_path / "copy.arpa").read_text()


def test_tree_finds_prefixes_and_suffixes(tmp_path, arpa_text):
    (tmp_path / "lm.arpa").write_text(arpa_text)
    tree = read_model(str(tmp_path / "lm.arpa")).tree
    assert tree.ngrams(3, np.array([0])).tolist() == [[1, 4, 3]]
    assert tree.ngrams(2, tree.prefixes(3)).tolist() == [[1, 4]]
    assert tree.ngrams(2, tree.suffixes[2]).tolist() == [[4, 3]]
    absent_prefix, absent_ngram = tree.keys_of(np.array([[4, 4, 3], [1, 4, 4]]))
    assert absent_prefix < 0 and find(tree.keys[2], np.array([absent_ngram])).tolist() == [-1]


def test_find_in_nothing():
    assert find(np.empty(0, int), np.array([3])).tolist() == [-1]
    tree = NgramTree(4)
    tree.add_order(np.empty(0, int))
    assert len(tree.suffixes[1]) == 0


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("\\data\\", "\\date\\", "not an ARPA file"),
        ("B A\n-0.5\tA </s>", "B A\n-0.5\tA X", "2-grams: b'X' is not among the 1-grams"),
        ("B A\n-0.5\tA </s>", "B A\n-0.5\tA B </s>", "2-grams: .*A B </s>.*: expected 4 fields"),
        ("B A\n-0.5\tA </s>", "B A\n-O.5\tA </s>", "2-grams: could not convert.*-O.5"),
        ("ngram 2=3", "ngram 2=4", "2-grams: .*expected 4 fields"),
        ("ngram 2=3", "ngram 2=2", "expected the section .3-grams:"),
        ("\\3-grams:\n-0.125\t<s> B A\n\n\\end\\\n", "", "the end of the file.*expected the section .3-grams:"),
        ("-0.125\t<s> B A\n\n\\end\\\n", "", "1 3-grams are missing"),
        ("<s> B A", "<s> A A", "without their first words"),
        ("-0.5\tB A\n", "-0.5\tB </s>\n", "without their last words .* expected an unpruned model"),
        ("-0.5\tA </s>\n", "-0.5\tB A\n", "or that occur twice"),
        ("-1.0\tB", "-1.0\tA", "a 1-gram occurs twice"),
    ],
)
def test_faults_name_file_and_place(tmp_path, arpa_text, right, wrong, message):
    assert right in arpa_text
    (tmp_path / "broken.arpa").write_text(arpa_text.replace(right, wrong))
    with pytest.raises(ValueError, match=message) as error:
        read_model(str(tmp_path / "broken.arpa"))
    assert "broken.arpa" in str(error.value)


def test_an_archive_that_is_cut_off(tmp_path, arpa_text):
    path = tmp_path / "cut.arpa.gz"
    path.write_bytes(gzip.compress(arpa_text.encode())[:-20])
    with pytest.raises(ValueError, match="cut.arpa.gz: Compressed file ended .*; expected a complete .gz"):
        read_model(str(path))
