"""An inventory spells words, goes along with stores, and is compared by what its outputs stand for."""

from dataclasses import replace

import numpy as np
import pytest

from ctc_kd.inventory import Inventory, check_same, inventory_of, read_inventory, write_inventory
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter

CHARACTERS = Inventory(
    "characters", ("<pad>", "<s>", "|", "A", "B", "'"), blank=0, case="upper", boundary="|", unspoken=("<s>",)
)
CHINESE = Inventory("characters", ("你", "好", "-"), blank=2)
PIECES = Inventory("pieces", ("▁", "▁ab", "c", "<blk>"), blank=3, boundary="▁", case="lower")
IPA = Inventory("phonemes", ("<blank>", "<wb>", "a", "b"), blank=0, boundary="<wb>")


@pytest.mark.parametrize(
    ("inventory", "words", "sequence", "text"),
    [
        (CHARACTERS, ["AB", "A'"], [3, 4, 2, 3, 5], "AB A'"),
        (CHINESE, ["你好", "你"], [0, 1, 0], "你好你"),
        (PIECES, [["▁ab", "c"], ["▁", "c"]], [1, 2, 0, 2], "abc c"),
        (IPA, ["ab", "b"], [2, 3, 1, 3], "a b <wb> b"),
        (phonemes(), [["K", "T"], ["AA"]], [19, 69, 39], "K T# AA#"),
    ],
)
def test_words_and_back(inventory, words, sequence, text):
    assert inventory.sentence(words) == sequence
    assert inventory.text(sequence) == text


def test_unspoken_labels_and_blank_spell_no_word():
    for unit in ("<s>", "<pad>", "C"):
        with pytest.raises(ValueError, match=f"'{unit}' is none of the 6 labels"):
            CHARACTERS.word(["A", unit])
    assert CHARACTERS.text([1, 3, 2]) == "A"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"blank": 3}, "blank is label 3 of an inventory of 3 labels"),
        ({"blank": -1}, "blank is label -1"),
        ({"labels": ("a", "b", "a")}, "has 'a' twice"),
        ({"kind": "words"}, "kind 'words' and case 'keep'; expected one of phonemes"),
        ({"case": "Upper"}, "case 'Upper'; expected one of"),
        ({"unspoken": ("<s>",)}, "unspoken label '<s>' is not one of the 3"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        replace(CHINESE, **fields)


@pytest.mark.parametrize("inventory", [CHARACTERS, CHINESE, PIECES, phonemes(80)])
def test_files_and_stores_keep_it(tmp_path, inventory):
    write_inventory(tmp_path / "inventory.json", inventory)
    assert read_inventory(tmp_path / "inventory.json") == inventory
    with HdfWriter(tmp_path / "a.hdf", labels=inventory.labels, metadata={"inventory": inventory.facts()}) as store:
        store.add("utterance", np.zeros(3, "int32"))
    assert inventory_of(tmp_path / "a.hdf") == inventory


@pytest.mark.parametrize("end", [-1, None])
def test_stores_that_do_not_say_it_have_phonemes(tmp_path, end):
    """They come from work folders of the time when label sequences left blank out."""
    with HdfWriter(tmp_path / "a.hdf", labels=phonemes().labels[:end]) as store:
        store.add("utterance", np.zeros(3, "int32"))
    assert inventory_of(tmp_path / "a.hdf") == phonemes()


def test_inventories_are_compared_by_their_outputs():
    check_same(CHINESE, CHINESE, what="a", whose="b")
    with pytest.raises(ValueError, match=r"^labels a.hdf: label 1 of 3 is 好, but that of the model is 们, of 3\."):
        check_same(CHINESE, replace(CHINESE, labels=("你", "们", "-")), what="labels a.hdf", whose="the model")
    with pytest.raises(ValueError, match="label 3 of 3 is None, but that of b is 们, of 4"):
        check_same(CHINESE, replace(CHINESE, labels=("你", "好", "-", "们")), what="a", whose="b")
    with pytest.raises(ValueError, match="a: blank is label 2, but that of b is label 0"):
        check_same(CHINESE, replace(CHINESE, blank=0), what="a", whose="b")
