"""How texts are spelled with the labels of an inventory, and what happens to those that it cannot spell."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from sisyphus import tk

from ctc_kd.corpus.problems import refuse, shortened
from ctc_kd.inventory import Inventory, read_inventory

MISSING = ("error", "skip")


class MissingCharacters(ValueError):
    """A text has characters that no label spells.

    :param characters: each once, in the order of the text
    """

    def __init__(self, characters: Iterable[str]):
        self.characters = tuple(dict.fromkeys(characters))
        super().__init__(f"no label spells {' '.join(map(repr, self.characters))}")


class Speller:
    """Spells words and sentences with characters, or with pieces of words.

    :param tokenizer: what cuts words into pieces: a file of ``sentencepiece``, or a folder or hub name of a model of
        transformers with its tokenizer. Characters do not use it
    :raises ValueError: the labels are phonemes, which only a lexicon spells, or pieces without a tokenizer
    """

    def __init__(self, inventory: Inventory, tokenizer: str | None = None):
        if inventory.kind == "phonemes":
            raise ValueError("a word has no spelling by phonemes but that of a pronunciation lexicon: give one")
        if inventory.kind == "pieces" and tokenizer is None:
            raise ValueError("the labels are pieces of words: a tokenizer is needed, which cuts words into them")
        self.inventory = inventory
        self._pieces = _tokenizer(tokenizer) if inventory.kind == "pieces" else None
        self._whole = {unicodedata.normalize("NFC", label): label for label in inventory.index}

    def labels(self, text: str) -> list[int]:
        """The labels of a word or sentence, which is normalised before.

        :raises MissingCharacters: the labels lack a character of it, or it has the one that stands between words
        """
        inventory, text = self.inventory, self.inventory.normalised(text)
        words = text.split()
        spelled = [self._pieces(text)] if self._pieces else [self._characters(word) for word in words]
        unknown = [unit for units in spelled for unit in units if unit not in inventory.index]
        missing = [character for unit in unknown for character in self._lacking(unit)]
        if inventory.boundary and any(inventory.boundary in word for word in words):
            missing.append(inventory.boundary)
        if missing:
            raise MissingCharacters(missing)
        return inventory.sentence(spelled)

    def _characters(self, word: str) -> list[str]:
        """The labels of a word's letters: a letter with its marks may be one label, or each mark may have its own."""
        index = self.inventory.index
        if all(character in index for character in word):
            return list(word)
        letters: list[str] = []
        for character in word:
            if letters and unicodedata.combining(character):
                letters[-1] += character
            else:
                letters.append(character)
        found = []
        for letter in letters:
            ways = [self._whole.get(letter, letter)], list(letter), list(unicodedata.normalize("NFD", letter))
            found += next((way for way in ways if index.keys() >= {*way}), ways[1])
        return found

    def _lacking(self, unit: str) -> list[str]:
        """The characters of a unit that no label spells; all if each has a label."""
        characters = [character for character in unit if character != self.inventory.boundary]
        return [character for character in characters if character not in self.inventory.index] or characters


def _tokenizer(path: str) -> Callable[[str], list[str]]:
    """``text -> pieces``; what it does not know stands there as in the text."""
    if os.path.isfile(path):
        from sentencepiece import SentencePieceProcessor

        processor = SentencePieceProcessor(model_file=path)
        return lambda text: processor.encode(text, out_type=str)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)

    def pieces(text: str) -> list[str]:
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        names = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
        return [
            text[slice(*span)] if name == tokenizer.unk_token else name
            for name, span in zip(names, encoded["offset_mapping"], strict=True)
        ]

    return pieces


def speller(inventory: tk.Path, tokenizer: tk.Path | str | None) -> Speller:
    """From the inputs of a job."""
    path = tokenizer.get_path() if isinstance(tokenizer, tk.Path) else tokenizer
    return Speller(read_inventory(inventory.get_path()), path)


def check_missing(missing: str):
    if missing not in MISSING:
        raise ValueError(f"missing is {missing!r}, expected one of {', '.join(MISSING)}")


def spelled(
    speller: Speller, texts: Iterable[tuple[str, str]], *, missing: str, where: str
) -> Iterator[tuple[str, list[int]]]:
    """Yields ``(name, labels)`` of the texts that can be spelled.

    :param texts: ``(name, text)``, such as an utterance and what it says
    :param missing: what to do about texts with missing characters: ``"error"``, or ``"skip"`` to leave them out, and
        print their number and the first of them
    :param where: file of the texts, for an error
    :raises CorpusError: after the last text, with ``"error"``; it names the first texts and their missing characters
    :raises ValueError: no text is left
    """
    problems, number = [], 0
    for name, text in texts:
        try:
            labels = speller.labels(text)
        except MissingCharacters as error:
            problems.append(f"{name}: {error}")
            continue
        number += 1
        yield name, labels
    if missing == "error":
        remedy = 'Correct these texts, take other labels, or leave such texts out by missing="skip".'
        refuse(problems, where=where, remedy=remedy)
    if not number:
        raise ValueError("\n".join([f"{where}: nothing that the labels can spell", *shortened(problems)]))
    print("\n".join([f"{number} spelled, {len(problems)} left out", *shortened(problems)]), flush=True)
