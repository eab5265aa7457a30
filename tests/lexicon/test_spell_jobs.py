"""From texts to inventories, label sequences, lexica and texts of labels."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from ctc_kd.decoding.decoders import decoder_of
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.inventory import BLANK, Inventory, inventory_of, read_inventory
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.made_inventories import CollectCharactersJob, TrainPiecesJob
from ctc_kd.lexicon.pronunciations import read_spellings
from ctc_kd.lexicon.spell import SpellTextJob, SpellTranscriptsJob, SpellWordsJob
from ctc_kd.lexicon.spelling import Speller
from ctc_kd.store import read_hdf

TRANSCRIPTS = "1-1 It’s the Cat\n1-2 the CAFE\u0301\n1-3 Ёж 9\n1-4\n"
SENTENCES = (
    "the cat sat on the mat\nthat chat\nthe rat that sat there\nno hat on a cart\nhere she met the monster\n" * 9
)


@pytest.fixture
def transcripts(write):
    return write("transcripts.txt", TRANSCRIPTS)


def names(inventory, sequence):
    return [inventory.labels[label] for label in sequence]


def test_characters_of_transcripts(run_here, transcripts):
    job = run_here(CollectCharactersJob(transcripts=[transcripts], case="lower"))
    inventory = read_inventory(job.out_inventory.get_path())
    assert "".join(inventory.labels) == "|'9acefhistéжё" + BLANK
    assert (inventory.blank, inventory.boundary, inventory.case) == (14, "|", "lower")

    labels = run_here(SpellTranscriptsJob(transcripts=transcripts, inventory=job.out_inventory))
    store = labels.out_hdf.get_path()
    assert inventory_of(store) == inventory
    sequences = {utterance: "".join(names(inventory, sequence)) for utterance, sequence in read_hdf(store)}
    assert sequences == {"1-1": "it's|the|cat", "1-2": "the|café", "1-3": "ёж|9", "1-4": ""}


def test_languages_without_spaces(run_here, write):
    text = write("text.txt", "你好世界\n你们 好\n")
    job = run_here(CollectCharactersJob(texts=[text], case="keep", words=False))
    assert read_inventory(job.out_inventory.get_path()).labels == (*sorted("你好世界们"), BLANK)
    spelled = run_here(SpellTextJob(text=text, inventory=job.out_inventory))
    with gzip.open(spelled.out_text.get_path(), "rt", encoding="utf-8") as file:
        assert file.read() == "你 好 世 界\n你 们 好\n"


def test_utterances_with_missing_characters(run_here, transcripts, write):
    inventory = run_here(CollectCharactersJob(texts=[write("text.txt", "It's the café cat")], case="upper"))
    inputs = {"transcripts": transcripts, "inventory": inventory.out_inventory}
    with pytest.raises(ValueError, match=r"transcripts.txt: 1 problem.*\n +utterance 1-3: no label spells 'Ё' 'Ж' '9'"):
        run_here(SpellTranscriptsJob(**inputs))
    job = run_here(SpellTranscriptsJob(**inputs, missing="skip"))
    assert Path(job.out_utterances.get_path()).read_text().split() == ["1-1", "1-2", "1-4"]
    with pytest.raises(ValueError, match="missing is 'ignore', expected one of error, skip"):
        SpellTranscriptsJob(**inputs, missing="ignore")


@pytest.mark.parametrize("reserved", ["|", "▁", "▅"])
def test_marks_are_no_characters(run_here, write, reserved):
    text = write("text.txt", f"a b\na{reserved}b\n")
    job = CollectCharactersJob if reserved == "|" else TrainPiecesJob
    options = {} if reserved == "|" else {"size": 6}
    with pytest.raises(ValueError, match=rf"text.txt:2: 'a\{reserved}b'"):
        run_here(job(texts=[text], case="keep", **options))


def test_a_lexicon_for_the_search(run_here, transcripts, write):
    inventory = run_here(CollectCharactersJob(transcripts=[transcripts], case="lower")).out_inventory
    lexica = [write("words.txt", "THE DH AH\nTHE(2) DH IY\nIT’S 0.5 IH T S\nCAT\n")]
    job = run_here(SpellWordsJob(lexica=lexica, texts=[write("more.txt", "Ёж  the the(2)\n")], inventory=inventory))
    lines = Path(job.out_lexicon.get_path()).read_text().splitlines()
    assert lines == ["THE t h e", "IT’S i t ' s", "CAT c a t", "Ёж ё ж", "the t h e"]
    with pytest.raises(ValueError, match="zoo: no label spells 'z' 'o'"):
        run_here(SpellWordsJob(lexica=[write("zoo.txt", "cat\nzoo\n")], inventory=inventory))
    job = run_here(SpellWordsJob(lexica=[write("zoo.txt", "cat\nzoo\n")], inventory=inventory, missing="skip"))
    assert read_spellings(job.out_lexicon.get_path(), read_inventory(inventory.get_path())) == {
        "cat": [("c", "a", "t")]
    }


def test_only_lexica_of_arpabet_are_read_strictly(write):
    inventory = phonemes()
    assert read_spellings(write("a.txt", "THE dh ah0\n").get_path(), inventory) == {"THE": [("DH", "AH")]}
    with pytest.raises(ValueError, match="expected a word and ARPAbet phonemes"):
        read_spellings(write("b.txt", "THE ð ə\n").get_path(), inventory)


@pytest.mark.parametrize("method", ["unigram", "bpe"])
def test_pieces(run_here, write, method):
    text = write("text.txt", SENTENCES)
    job = run_here(TrainPiecesJob(texts=[text], size=20, method=method, case="upper"))
    inventory = read_inventory(job.out_inventory.get_path())
    assert (len(inventory.labels), inventory.blank, inventory.boundary) == (20, 0, "▁")
    speller = Speller(inventory, job.out_model.get_path())
    assert {*"▁ACEHMNORST"} <= {*inventory.labels}
    assert any(len(label) > 2 for label in inventory.labels[1:])
    for sentence in SENTENCES.splitlines():
        labels = speller.labels(sentence)
        assert inventory.text(labels) == sentence.upper()
        assert labels == [label for word in sentence.split() for label in speller.labels(word)]
    with pytest.raises(ValueError, match="no label spells 'Ж' '9'$"):
        speller.labels("the жж9 cat")
    with pytest.raises(ValueError, match="no label spells '▁'$"):
        speller.labels("the▁cat")

    spelled = run_here(SpellTextJob(text=text, inventory=job.out_inventory, tokenizer=job.out_model))
    with gzip.open(spelled.out_text.get_path(), "rt", encoding="utf-8") as file:
        assert file.readline().replace(" ", "").replace("▁", " ") == " THE CAT SAT ON THE MAT\n"


def test_pieces_are_the_same_each_time(run_here, write):
    text = write("text.txt", SENTENCES)
    job = TrainPiecesJob(texts=[text], size=20, case="keep")
    path = Path(run_here(job).out_model.get_path())
    before = path.read_bytes()
    path.unlink()
    run_here(job)
    assert path.read_bytes() == before


def test_more_pieces_than_the_text_has(run_here, write):
    with pytest.raises(ValueError, match="1000 pieces cannot be made of these texts: .*Vocabulary size"):
        run_here(TrainPiecesJob(texts=[write("text.txt", SENTENCES)], size=1000, case="keep"))


def test_pieces_of_a_model_of_transformers(tmp_path):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from ctc_kd.inventory import Inventory

    vocabulary = [("<unk>", 0.0), ("▁", -2.0), ("▁the", -1.0), ("c", -3.0), ("a", -3.0), ("at", -2.0), ("t", -3.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(tmp_path)
    labels = (*(name for name, _ in vocabulary), BLANK)
    inventory = Inventory("pieces", labels, blank=7, boundary="▁", case="lower", unspoken=("<unk>",))
    speller = Speller(inventory, str(tmp_path))
    assert names(inventory, speller.labels("The CAT")) == ["▁the", "▁", "c", "at"]
    with pytest.raises(ValueError, match="no label spells 'ж'$"):
        speller.labels("the caжt")


def test_words_of_a_lexicon_are_written_as_transcripts_are(write):
    inventory = Inventory("phonemes", ("_", "ð", "ə"), blank=0, case="upper")
    path = write("ipa.txt", "the ð ə\nThe ð ə\nTHE(2) ð\n").get_path()
    assert read_spellings(path, inventory) == {"THE": [("ð", "ə"), ("ð",)]}


def test_words_found_through_a_lexicon_of_pieces(run_here, write, tmp_path):
    text = write("text.txt", SENTENCES)
    pieces = run_here(TrainPiecesJob(texts=[text], size=20, case="keep"))
    lexicon = run_here(SpellWordsJob(texts=[text], inventory=pieces.out_inventory, tokenizer=pieces.out_model))
    inventory = read_inventory(pieces.out_inventory.get_path())
    words = list(read_spellings(lexicon.out_lexicon.get_path(), inventory))
    unigrams = "".join(f"-1\t{word}\n" for word in words)
    (tmp_path / "lm.arpa").write_text(
        f"\\data\\\nngram 1={len(words) + 3}\nngram 2=1\n\n\\1-grams:\n-2\t<unk>\n-9\t<s>\n-1\t</s>\n{unigrams}\n"
        "\\2-grams:\n-1\tthe cat\n\n\\end\\\n"
    )
    paths = {"lexicon": lexicon.out_lexicon.get_path(), "lm": str(tmp_path / "lm.arpa")}
    decoder = decoder_of(inventory, **paths, config=SearchConfig())
    labels = Speller(inventory, pieces.out_model.get_path()).labels("the rat sat there")
    frames = [frame for label in labels for frame in (label, inventory.blank)]
    scores = np.log(np.eye(len(inventory.labels), dtype="float32")[frames] + 1e-3)
    assert decoder.search(scores, lm_scale=1.0) == "the rat sat there"
