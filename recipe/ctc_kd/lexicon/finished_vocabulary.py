"""What the outputs of a finished CTC model stand for, read from the model's own tokenizer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ctc_kd.inventory import Inventory

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

NOT_SPOKEN = re.compile(r"<.+>|\[.+\]")
PIECE, BYTES = "▁", "Ġ"
"""Marks at the start of a word: of sentence pieces, and of pieces that are bytes, not letters."""


def finished_inventory(literal: dict[str, Any]) -> Inventory:
    """
    :param literal: class and config of a finished model, see :mod:`ctc_kd.training.build`
    """
    return hama_inventory() if literal["class"] == "HamaCtc" else transformers_inventory(literal["model"])


def transformers_inventory(model: str) -> Inventory:
    """
    :param model: a name of the Hugging Face hub, or a folder
    :raises ValueError: the model is no CTC model, it has no tokenizer, its vocabulary is not that of its head, or blank
        is not in it; names the model
    """
    from transformers import AutoTokenizer

    from ctc_kd.nn.ctc_models import load_config, loaded

    config = load_config(model)
    tokenizer = loaded(model, "vocabulary (vocab.json or tokenizer.json)", AutoTokenizer.from_pretrained)
    labels = _labels(model, tokenizer, config.vocab_size)
    blank = _blank(model, tokenizer, config, len(labels))
    special = {*tokenizer.all_special_tokens, *filter(NOT_SPOKEN.fullmatch, labels)}
    delimiter = getattr(tokenizer, "word_delimiter_token", None)
    boundary = next((mark for mark in (delimiter, PIECE, " ") if mark in labels), "")
    unspoken = [label for label in labels if label in special and label not in (labels[blank], boundary)]
    spoken = [label for label in labels if label not in {*unspoken, labels[blank], boundary}]
    if bytes_ := [label for label in spoken if label.startswith(BYTES)]:
        raise ValueError(f"{model}: its labels are bytes, such as {bytes_[0]!r}, which are not understood here")
    kind = "phonemes" if "Phoneme" in type(tokenizer).__name__ else _kind(spoken)
    if kind == "pieces":
        boundary = PIECE
    case = "upper" if kind == "phonemes" else _case(spoken)  # words are written as in this pipeline's lexica
    return Inventory(kind, tuple(labels), blank, case=case, boundary=boundary, unspoken=tuple(unspoken))


def _labels(model: str, tokenizer: PreTrainedTokenizerBase, num_outputs: int) -> list[str]:
    """The labels in the order of the outputs. Special tokens that were added behind the head's outputs are left out."""
    vocabulary = tokenizer.get_vocab()
    special = set(tokenizer.all_special_tokens)
    of_outputs = {label: i for label, i in vocabulary.items() if i < num_outputs or label not in special}
    if sorted(of_outputs.values()) != list(range(num_outputs)):
        raise ValueError(
            f"{model}: its head has {num_outputs} outputs, but its vocabulary has {len(of_outputs)} labels"
        )
    return sorted(of_outputs, key=of_outputs.get)


def _blank(model: str, tokenizer: PreTrainedTokenizerBase, config: PretrainedConfig, num_labels: int) -> int:
    from ctc_kd.nn.ctc_models import blank_of

    blank = blank_of(config)
    if blank not in range(num_labels):
        raise ValueError(f"{model}: blank is label {blank}, which is none of its {num_labels} labels")
    if blank == config.pad_token_id != tokenizer.pad_token_id:
        raise ValueError(
            f"{model}: blank is label {blank} for its config.json (pad_token_id), but label {tokenizer.pad_token_id} "
            "for its tokenizer"
        )
    return blank


def _kind(spoken: Collection[str]) -> str:
    if any(label.startswith(PIECE) for label in spoken):
        return "pieces"
    return "characters" if all(map(_is_character, spoken)) else "phonemes"


def _is_character(label: str) -> bool:
    """Whether it is one letter or sign, perhaps with marks above or below."""
    return sum(not unicodedata.combining(part) for part in label) == 1


def _case(spoken: Collection[str]) -> str:
    letters = "".join(spoken)
    has_lower, has_upper = any(map(str.islower, letters)), any(map(str.isupper, letters))
    return "keep" if has_lower == has_upper else "lower" if has_lower else "upper"


def hama_inventory() -> Inventory:
    """IPA phonemes with a label between words."""
    from ctc_kd.nn.hama import ASRModel

    hama = ASRModel()
    labels, boundary = hama.decoder_tokens, hama.decode_cfg.word_boundary_token
    unspoken = [label for i, label in enumerate(labels) if NOT_SPOKEN.fullmatch(label) and i != hama.blank_id]
    unspoken.remove(boundary)
    return Inventory(
        "phonemes", tuple(labels), hama.blank_id, case="upper", boundary=boundary, unspoken=tuple(unspoken)
    )
