"""Text for language models, in the lexicon's spelling."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from sisyphus import Job, Task, tk

from ctc_kd.corpus.transcripts import normalise_text, read_transcripts
from ctc_kd.files import complete_file, text_lines, write_json
from ctc_kd.inventory import APOSTROPHES, read_inventory

OTHER_CHARACTER = re.compile(r"[^A-Z' ]")
NO_LETTER = re.compile(r"[^\w' ]|\d|_")
UNKNOWN = re.compile(r"(?:^|(?<=\s))<unk>(?=\s|$)", re.IGNORECASE)
SENTENCE_MARKS = re.compile(r"(?:^|(?<=\s))</?s>(?=\s|$)", re.IGNORECASE)


def upper_case(text: str) -> str:
    """As :func:`normalise_text`, with one kind of apostrophe: texts are not written as carefully as transcripts."""
    return normalise_text(text.translate(dict.fromkeys(map(ord, APOSTROPHES), "'")))


class LmTextJob(Job):
    """Joins texts in one file, in the lexicon's spelling: in upper case, or as the labels of an inventory are written.

    In TED-LIUM release 2, ``LM/*.en.gz`` are lower case, ``</s>`` ends each line, and suffixes are words already
    (``it 's``). Together with the training transcripts they are the background text.

    Words with other characters than ``A-Z'`` stay where they are (``<unk>`` as ``<unknown>``): no lexicon has them, and
    :class:`~ctc_kd.lm.ngram.NgramLmJob` with a vocabulary has no n-gram across them. If they were removed, words that
    are not neighbours would become neighbours.

    :param texts: one sentence per line, words separated by spaces, as UTF-8, plain or ``.gz``
    :param transcripts: utterance ids and words; they come after the texts
    :param inventory: how the texts are written; None for upper case. "Other" characters are then those that no label
        is; with phonemes, those that are neither letters nor apostrophes

    ``out_text``: ``.gz``, one sentence per line. ``out_counts``: JSON, how many ``sentences``, ``words`` and
    ``words with other characters``.
    """

    __sis_hash_exclude__ = {"inventory": None}

    def __init__(
        self,
        *,
        texts: Sequence[tk.Path] = (),
        transcripts: Sequence[tk.Path] = (),
        inventory: tk.Path | None = None,
    ):
        if not texts and not transcripts:
            raise ValueError("neither texts nor transcripts: name at least one")
        self.texts = texts
        self.transcripts = transcripts
        self.inventory = inventory
        self.out_text = self.output_path("text.gz")
        self.out_counts = self.output_path("counts.json")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        counts = Counter()
        path = self.out_text.get_path()
        with complete_file(path) as partial, gzip.open(partial, "wt", compresslevel=1, encoding="utf-8") as file:
            for sentence in self.normalised(counts):
                file.write(f"{sentence}\n")
            if not counts["sentences"]:
                names = ", ".join(path.get_path() for path in [*self.texts, *self.transcripts])
                raise ValueError(f"{names}: no sentence, nothing to estimate a language model on")
        print(", ".join(f"{count} {name}" for name, count in counts.items()))
        write_json(self.out_counts.get_path(), counts)

    def normalised(self, counts: Counter) -> Iterator[str]:
        """The sentences as they are written, without sentence marks and empty ones; fills ``counts``."""
        if self.inventory is None:
            return normalised(self.sentences(normalise_text), counts, upper_case)
        inventory = read_inventory(self.inventory.get_path())
        characters = re.escape("".join(label for label in inventory.index if len(label) == 1))
        other = NO_LETTER if inventory.kind == "phonemes" else re.compile(f"[^ {characters}]")
        return normalised(self.sentences(inventory.normalised), counts, inventory.normalised, other)

    def sentences(self, normalise: Callable[[str], str]) -> Iterator[str]:
        for text in self.texts:
            yield from text_lines(text.get_path())
        for transcripts in self.transcripts:
            yield from read_transcripts(transcripts.get_path(), normalise).values()


def normalised(
    sentences: Iterable[str],
    counts: Counter,
    normalise: Callable[[str], str] = normalise_text,
    other_character: re.Pattern = OTHER_CHARACTER,
) -> Iterator[str]:
    """Yields sentences in their normal form, without sentence marks and empty ones, and fills ``counts`` (see the job).

    :param other_character: what a word should not have
    """
    counts.update({"sentences": 0, "words": 0, "words with other characters": 0})
    for line in sentences:
        if "<" in line:
            line = UNKNOWN.sub("<unknown>", SENTENCE_MARKS.sub(" ", line))  # KenLM reserves <unk> and <UNK>
        sentence = normalise(line)
        if not sentence:
            continue
        counts["sentences"] += 1
        counts["words"] += sentence.count(" ") + 1
        if other_character.search(sentence):
            counts["words with other characters"] += sum(map(bool, map(other_character.search, sentence.split(" "))))
        yield sentence
