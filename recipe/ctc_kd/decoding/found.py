"""What a decoder found, with the frames of words and labels."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ctc_kd.inventory import Inventory


class Span(NamedTuple):
    """A word or a label in frames: the first one, and the one behind the last."""

    text: str
    start: int
    end: int


class Found(NamedTuple):
    """
    :param text: what was said
    :param words: of the text; the single labels where nothing tells words apart
    :param labels: without blanks. CTC says most labels in one frame, wherever their sound begins and ends
    """

    text: str
    words: list[Span]
    labels: list[Span]

    def among(self, frames: Sequence[int]) -> Found:
        """The same in the frames of an utterance of which only these were searched, see ``decoding.blank_collapse``."""

        def moved(span: Span) -> Span:
            return Span(span.text, int(frames[span.start]), int(frames[span.end - 1]) + 1)

        return Found(self.text, list(map(moved, self.words)), list(map(moved, self.labels)))


def found_by_labels(path: Sequence[int], inventory: Inventory) -> Found:
    """What the labels of a path say.

    :param path: ``[T]``, the label of each frame
    """
    runs = list(_runs(path, inventory))
    spoken = [(label, span) for label, span in runs if span.text not in inventory.unspoken]
    return Found(
        text=inventory.text(label for label, _ in runs),
        words=list(_spelled(spoken, inventory)),
        labels=[span for _, span in runs],
    )


def found_in_lexicon(path: Sequence[int], words: Iterable[tuple[str, int]], inventory: Inventory) -> Found:
    """The words of a path, which lie where their labels are.

    :param path: ``[T]``, the label of each frame
    :param words: with the frame in which each is complete
    """
    spans, begin = [], 0
    for word, last in words:
        own = [t for t in range(begin, last + 1) if path[t] not in (inventory.blank, inventory.separator)]
        spans.append(Span(word, own[0], own[-1] + 1))
        begin = last + 1
    labels = [span for _, span in _runs(path, inventory)]
    return Found(" ".join(span.text for span in spans), spans, labels)


def _runs(path: Iterable[int], inventory: Inventory) -> Iterator[tuple[int, Span]]:
    """The labels that a path stands for; repetitions are one."""
    begin = 0
    for label, frames in itertools.groupby(path):
        end = begin + sum(1 for _ in frames)
        if label != inventory.blank:
            yield label, Span(inventory.labels[label], begin, end)
        begin = end


def _spelled(labels: Iterable[tuple[int, Span]], inventory: Inventory) -> Iterator[Span]:
    """The words that labels spell."""
    boundary, word = inventory.boundary, None
    single = inventory.kind == "phonemes" or not boundary
    between = re.compile(f"{re.escape(boundary)}|\\s")  # as :meth:`Inventory.text` has it
    for _, (name, start, end) in labels:
        for number, part in enumerate([name] if single else between.split(name)):
            if word is not None and (single or number):
                yield word
                word = None
            if part.strip():
                word = Span(part, start, end) if word is None else Span(word.text + part, word.start, end)
    if word is not None:
        yield word
