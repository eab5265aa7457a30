"""What the outputs of a CTC model stand for, as a value that models, label sequences, logits and posteriors share."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from ctc_kd.files import read_json, write_json
from ctc_kd.store import read_labels, read_metadata

KINDS = ("phonemes", "characters", "pieces")
CASES = ("upper", "lower", "keep")

BLANK = "[blank]"
"""The name of blank where a model does not bring one of its own."""

END_OF_WORD = "#"

APOSTROPHES = "’‘‛ʼ＇´`"


def normalise(text: str, *, case: str, kept: Collection[str] = ()) -> str:
    """A text as labels spell it: in their case, characters in the form NFC, one kind of apostrophe, single spaces.

    Nothing else is changed: digits are not spelled out, and no mark is left out. What the labels then lack is a missing
    character, see :mod:`ctc_kd.lexicon.spelling`.

    :param case: one of :data:`CASES`; those of Unicode, so ``ß`` becomes ``SS`` in upper case
    :param kept: characters of :data:`APOSTROPHES` that do not become ``'``
    """
    text = {"upper": str.upper, "lower": str.lower, "keep": str}[case](text)
    marks = {ord(mark): "'" for mark in APOSTROPHES if mark not in kept}
    return " ".join(unicodedata.normalize("NFC", text).translate(marks).split())


@dataclass(frozen=True)
class Inventory:
    """The classes of a CTC model, and how words are written with them.

    Attributes:
        kind: ``"phonemes"``, whose words are spelled by a lexicon, ``"characters"``, or ``"pieces"`` of words
        labels: the names of all classes, blank included, in the order of the model's outputs
        blank: index of blank
        case: of the letters of words: ``"upper"``, ``"lower"``, or ``"keep"`` for text as it is written
        boundary: what tells words apart. A name among the labels is a label of its own between words, such as ``|``;
            another one is a mark at the end of a word's last phoneme, such as ``#``. Pieces have it at the start of a
            word's first piece. Empty if nothing does, as in languages without spaces
        unspoken: labels that no text has, such as ``<s>`` and ``<pad>``; blank is none of them
    """

    kind: str
    labels: tuple[str, ...]
    blank: int
    case: str = "keep"
    boundary: str = ""
    unspoken: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("labels", "unspoken"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.kind not in KINDS or self.case not in CASES:
            raise ValueError(
                f"an inventory of kind {self.kind!r} and case {self.case!r}; expected one of {', '.join(KINDS)} and "
                f"one of {', '.join(CASES)}"
            )
        if self.blank not in range(len(self.labels)):
            raise ValueError(f"blank is label {self.blank} of an inventory of {len(self.labels)} labels")
        if twice := sorted(label for label, count in Counter(self.labels).items() if count > 1):
            raise ValueError(f"an inventory of {len(self.labels)} labels has {twice[0]!r} twice")
        if unknown := sorted({*self.unspoken} - {*self.labels}):
            raise ValueError(f"the unspoken label {unknown[0]!r} is not one of the {len(self.labels)} labels")

    @property
    def separator(self) -> int | None:
        """The index of the label that stands between words, if there is one."""
        return self.labels.index(self.boundary) if self.kind != "pieces" and self.boundary in self.labels else None

    @property
    def marks_ends(self) -> bool:
        """Whether the last phoneme of a word is a label of its own."""
        return self.kind == "phonemes" and bool(self.boundary) and self.separator is None

    def word(self, units: Sequence[str]) -> tuple[int, ...]:
        """The labels of a word, without the label between words.

        :param units: the word's phonemes, characters or pieces
        :raises ValueError: the inventory lacks one of them
        """
        if self.marks_ends:
            units = (*units[:-1], units[-1] + self.boundary)
        index = self.index
        if missing := [unit for unit in units if unit not in index]:
            raise ValueError(f"{missing[0]!r} is none of the {len(self.labels)} labels, which are {self.kind}")
        return tuple(index[unit] for unit in units)

    def sentence(self, words: Iterable[Sequence[str]]) -> list[int]:
        """The labels of a sequence of words, with the label between them if there is one."""
        return self.joined(self.word(units) for units in words)

    def joined(self, words: Iterable[Sequence[int]]) -> list[int]:
        """:meth:`sentence` of words whose labels are known."""
        joined: list[int] = []
        between = [] if self.separator is None else [self.separator]
        for position, labels in enumerate(words):
            joined += (*(between if position else ()), *labels)
        return joined

    def text(self, sequence: Iterable[int]) -> str:
        """What a sequence of labels without blank says: words, or the names of phonemes with spaces between them."""
        names = [self.labels[label] for label in sequence]
        names = [name for name in names if name not in self.unspoken]
        if self.kind == "phonemes":
            return " ".join(names)
        joined = "".join(names)
        return " ".join((joined.replace(self.boundary, " ") if self.boundary else joined).split())

    def normalised(self, text: str) -> str:
        """A text as the labels spell it, see :func:`normalise`; apostrophes that are labels stay as they are."""
        return normalise(text, case=self.case, kept=self.index.keys())

    def collapsed(self, path: Iterable[int]) -> list[int]:
        """The labels that a CTC path ``[T]`` stands for: repetitions and blanks fall away."""
        return [label for label, _ in itertools.groupby(path) if label != self.blank]

    @property
    def tokens(self) -> list[str]:
        """The names of all labels as the words of a language model over labels, which have no white space."""
        return ["".join(label.split()) or "<space>" for label in self.labels]

    @property
    def printed(self) -> list[str]:
        """What each label adds to a text, for programs that only join labels.

        The joined strings of a sequence are :meth:`text` of it, but for spaces at the ends and several in a row, and
        for unspoken labels, which print their names.
        """
        if self.kind == "phonemes":
            return [f" {label}" for label in self.labels]
        return [label.replace(self.boundary, " ") if self.boundary else label for label in self.labels]

    @cached_property
    def index(self) -> dict[str, int]:
        """The labels that spell words or stand between them, with their places among all labels."""
        sayable = (item for item in enumerate(self.labels) if item[0] != self.blank and item[1] not in self.unspoken)
        return {label: position for position, label in sayable}

    def facts(self) -> dict:
        """All but the labels, for the metadata of a store that has them."""
        return {name: value for name, value in asdict(self).items() if name != "labels"}


def write_inventory(path: str, inventory: Inventory):
    write_json(path, asdict(inventory))


def read_inventory(path: str) -> Inventory:
    """Reads what :func:`write_inventory` wrote."""
    return Inventory(**read_json(path))


def inventory_of(store: str) -> Inventory:
    """The inventory of stored label sequences, logits or posteriors.

    Stores that have only labels are of the time when all were phonemes, blank last; label sequences left it out.
    """
    labels, facts = read_labels(store), read_metadata(store).get("inventory")
    if facts is not None:
        return Inventory(labels=tuple(labels), **facts)
    if labels[-1] != BLANK:
        labels.append(BLANK)
    return Inventory("phonemes", tuple(labels), len(labels) - 1, case="upper", boundary=END_OF_WORD)


def check_same(found: Inventory, expected: Inventory, *, what: str, whose: str):
    """
    :param what: names what has the found inventory, for an error
    :param whose: names what has the expected one
    :raises ValueError: the labels differ, or which of them is blank
    """
    pairs = enumerate(itertools.zip_longest(found.labels, expected.labels))
    for index, (label, wanted) in pairs:
        if label != wanted:
            raise ValueError(
                f"{what}: label {index} of {len(found.labels)} is {label}, but that of {whose} is {wanted}, of "
                f"{len(expected.labels)}. Teacher, student and label sequences need the same inventory"
            )
    if found.blank != expected.blank:
        raise ValueError(f"{what}: blank is label {found.blank}, but that of {whose} is label {expected.blank}")
