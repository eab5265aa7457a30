import gzip
from functools import cache

import pytest
from sisyphus import tk

from ctc_kd.lexicon import lexica
from ctc_kd.lexicon.lexica import CmuLexiconJob, MergeLexiconJob
from ctc_kd.lexicon.pronunciations import read_lexicon

TRAIN = """1-1-0000 THE DOG SAW A CAT
1-1-0001 THE DOG SAW THE READ ZZYX
"""


DICTIONARY = cache(lexica.cmu_dictionary)


@pytest.fixture(autouse=True)
def dictionary_read_once(monkeypatch):
    monkeypatch.setattr(lexica, "cmu_dictionary", DICTIONARY)


def lexicon_of(job):
    return read_lexicon(job.out_lexicon.get_path())


@pytest.fixture
def texts(write):
    return [write("train.txt", TRAIN), write("lm.txt", "the cat a dog house\nA DOG SAW THE CAT\n")]


def test_words_of_the_texts_with_all_pronunciations_without_stress(run_here, texts):
    lexicon = lexicon_of(run_here(CmuLexiconJob(words=texts)))
    assert list(lexicon) == ["A", "CAT", "DOG", "HOUSE", "READ", "SAW", "THE"]
    assert lexicon["READ"] == [("R", "EH", "D"), ("R", "IY", "D")]
    assert lexicon["A"] == [("AH",), ("EY",)]
    assert lexicon["THE"] == [("DH", "AH"), ("DH", "IY")]  # three in the dictionary, two of them differ in stress only


def test_typographic_apostrophes_are_apostrophes(run_here, write):
    lexicon = lexicon_of(run_here(CmuLexiconJob(words=[write("lm.txt", "I don’t know if it’s mine\n")])))
    assert list(lexicon) == ["DON'T", "I", "IF", "IT'S", "KNOW", "MINE"]


def test_texts_may_be_compressed(run_here, texts, tmp_path):
    compressed = tmp_path / "more.txt.gz"
    compressed.write_bytes(gzip.compress(b"the mouse\n"))
    assert "MOUSE" in lexicon_of(run_here(CmuLexiconJob(words=[*texts, tk.Path(str(compressed))])))


def test_a_text_that_is_not_utf8_is_named(run_here, tmp_path):
    (tmp_path / "latin.txt").write_bytes("café\n".encode("latin-1"))
    with pytest.raises(ValueError, match="latin.txt:1: .*UTF-8"):
        run_here(CmuLexiconJob(words=[tk.Path(str(tmp_path / "latin.txt"))]))


def test_the_rarest_training_words_are_withheld(run_here, texts):
    withheld = {"words": texts, "withhold": 1 / 6, "withhold_from": texts[0]}
    base = lexicon_of(run_here(CmuLexiconJob(**withheld)))
    assert set(base) == {"A", "CAT", "DOG", "HOUSE", "SAW", "THE"}  # HOUSE is as rare as READ, but not a training word
    larger = lexicon_of(run_here(CmuLexiconJob(**withheld, extra_words=300)))
    assert len(larger) == len(base) + 300
    assert "READ" not in larger
    assert base.items() <= larger.items()


def test_the_seed_decides_the_extra_words(run_here, texts):
    drawn = [set(lexicon_of(run_here(CmuLexiconJob(words=texts, extra_words=50, seed=seed)))) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_entire_dictionary(run_here):
    lexicon = lexicon_of(run_here(CmuLexiconJob()))
    assert len(lexicon) > 120_000
    assert all(len(set(variants)) == len(variants) for variants in lexicon.values())


@pytest.mark.parametrize("arguments", [{"withhold": 0.1}, {"withhold": 1.0}, {"withhold": -0.1}])
def test_senseless_shares_are_refused(arguments):
    with pytest.raises(ValueError, match="withhold"):
        CmuLexiconJob(**arguments)


def test_merging_keeps_order_and_first_pronunciations(run_here, write):
    first = write("first.txt", "B B IY\nA EY\n")
    second = write("second.txt", "A AH\nC S IY\nA EY\n")
    merged = lexicon_of(run_here(MergeLexiconJob(lexica=[first, second])))
    assert list(merged.items()) == [("B", [("B", "IY")]), ("A", [("EY",), ("AH",)]), ("C", [("S", "IY")])]
