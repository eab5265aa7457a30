"""The inventory of a finished model is read from its tokenizer; a vocabulary that cannot be its outputs is refused."""

import json
import os
from pathlib import Path

import pytest

from ctc_kd.lexicon.finished_vocabulary import hama_inventory, transformers_inventory
from finished_models import save_model, save_processor

CHARACTERS = ["<s>", "<pad>", "</s>", "<unk>", "|", "E", "É", "'"]


def config_of(folder, **fields):
    """Changes fields of a saved model's configuration."""
    path = Path(folder, "config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.fixture(scope="module")
def character_model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"), "wav2vec2", labels=CHARACTERS)


@pytest.fixture
def with_labels(tmp_path):
    """``with_labels(labels)``: the inventory of a model with that vocabulary."""

    def read(labels):
        (tmp_path / "config.json").write_text(
            json.dumps({"model_type": "hubert", "vocab_size": len(labels), "pad_token_id": labels.index("<pad>")})
        )
        save_processor(str(tmp_path), "hubert", labels)
        return transformers_inventory(str(tmp_path))

    return read


def test_characters(character_model):
    inventory = transformers_inventory(character_model)
    assert inventory.labels == tuple(CHARACTERS)
    assert (inventory.kind, inventory.case, inventory.boundary) == ("characters", "upper", "|")
    assert (inventory.blank, inventory.separator) == (1, 4)
    assert inventory.unspoken == ("<s>", "</s>", "<unk>")
    assert inventory.text([5, 6, 4, 5, 2]) == "EÉ E"


def test_pieces(tmp_path):
    inventory = transformers_inventory(save_model(tmp_path, "parakeet"))
    assert inventory.labels == ("<unk>", "▁a", "▁b", "b", "c", "<pad>")
    assert (inventory.kind, inventory.case, inventory.boundary, inventory.blank) == ("pieces", "lower", "▁", 5)
    assert inventory.unspoken == ("<unk>",)
    assert inventory.text([1, 3, 2, 4]) == "ab bc"


@pytest.mark.parametrize(
    ("spoken", "kind", "case"),
    [
        (["a", "b"], "characters", "lower"),
        (["a", "B"], "characters", "keep"),
        (["你", "好"], "characters", "keep"),
        (["e\u0301", "a"], "characters", "lower"),  # a letter and its accent
        (["sh", "iy", "p"], "phonemes", "upper"),
        (["▁", "a", "b"], "characters", "lower"),
        (["▁a", "b"], "pieces", "lower"),
    ],
)
def test_kind_and_case_come_from_the_labels(with_labels, spoken, kind, case):
    inventory = with_labels(["<pad>", "<unk>", *spoken])
    assert (inventory.kind, inventory.case) == (kind, case)
    assert inventory.boundary == ("▁" if "▁" in "".join(spoken) else "")
    assert inventory.unspoken == ("<unk>",)


def test_a_phoneme_tokenizer_has_phonemes(tmp_path):
    labels = ["<pad>", "<s>", "</s>", "<unk>", "a", "b", "s"]
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wav2vec2", "vocab_size": 7, "pad_token_id": 0}))
    (tmp_path / "vocab.json").write_text(json.dumps({label: index for index, label in enumerate(labels)}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer"}))
    inventory = transformers_inventory(str(tmp_path))
    assert (inventory.kind, inventory.case, inventory.labels) == ("phonemes", "upper", tuple(labels))


def test_special_tokens_behind_the_outputs_are_left_out(with_labels, tmp_path):
    with_labels(["<pad>", "<unk>", "|", "a", "<s>", "</s>"])
    config_of(tmp_path, vocab_size=4)
    assert transformers_inventory(str(tmp_path)).labels == ("<pad>", "<unk>", "|", "a")


def refused(folder, message):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        transformers_inventory(str(folder))
    assert str(caught.value).startswith(f"{folder}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocab_size": 9}, "its head has 9 outputs, but its vocabulary has 8 labels"),
        ({"vocab_size": 7}, "its head has 7 outputs, but its vocabulary has 8 labels"),
        ({"pad_token_id": 0}, "blank is label 0 for its config.json (pad_token_id), but label 1 for its tokenizer"),
        ({"blank_token_id": 8}, "blank is label 8, which is none of its 8 labels"),
        ({"model_type": "whisper"}, "a 'whisper' model, which has no CTC head"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(tmp_path, fields, message):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "hubert", "vocab_size": 8, "pad_token_id": 1}))
    save_processor(str(tmp_path), "hubert", CHARACTERS)
    config_of(tmp_path, **fields)
    refused(tmp_path, message)


@pytest.mark.parametrize("blank", [3, None])
def test_a_vocabulary_without_blank_is_refused(tmp_path, blank):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "hubert", "vocab_size": 3, "pad_token_id": blank}))
    save_processor(str(tmp_path), "hubert", ["<unk>", "|", "A"])  # its tokenizer puts <pad> behind the labels
    refused(tmp_path, f"blank is label {blank}, which is none of its 3 labels")


def test_bytes_are_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "hubert", "vocab_size": 2, "pad_token_id": 0}))
    save_processor(str(tmp_path), "hubert", ["<pad>", "Ġa"])
    refused(tmp_path, "its labels are bytes, such as 'Ġa'")


def test_a_model_without_vocabulary_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "hubert", "vocab_size": 8}))
    refused(tmp_path, "cannot load its vocabulary (vocab.json or tokenizer.json): ")
    os.remove(tmp_path / "config.json")
    refused(tmp_path, "cannot load its config: ")
    refused(tmp_path / "nothing", "no such folder")


def test_hama():
    pytest.importorskip("hama")
    inventory = hama_inventory()
    assert (len(inventory.labels), inventory.kind, inventory.boundary) == (191, "phonemes", "<wb>")
    assert inventory.labels[inventory.blank] == "<blank>"
    assert inventory.labels[inventory.separator] == "<wb>"
    assert inventory.unspoken == ("<pad>", "<sos>", "<eos>", "<unk>")
