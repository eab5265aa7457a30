"""Jobs that make inventories of a corpus: its characters, or pieces of its words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from sisyphus import Job, Task, tk

from ctc_kd.corpus.problems import refuse
from ctc_kd.corpus.transcripts import transcript_lines
from ctc_kd.files import complete_file, text_lines
from ctc_kd.inventory import BLANK, CASES, Inventory, normalise, write_inventory

SEPARATOR = "|"
START_OF_WORD, UNKNOWN_PIECE = "▁", "▅"
"""Marks of sentencepiece; it skips a sentence with the second."""


class _LabelsOfTexts(Job):
    """What the jobs below share: normalised texts."""

    def __init__(self, *, transcripts: Sequence[tk.Path], texts: Sequence[tk.Path], case: str):
        if not transcripts and not texts:
            raise ValueError("neither transcripts nor texts: name at least one")
        if case not in CASES:
            raise ValueError(f"case is {case!r}, expected one of {', '.join(CASES)}")
        self.transcripts = transcripts
        self.texts = texts
        self.case = case
        self.out_inventory = self.output_path("inventory.json")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def _lines(self) -> Iterator[tuple[str, str]]:
        """``(place, normalised text)``"""
        for path in self.transcripts:
            for place, utterance, text in transcript_lines(path.get_path(), str):
                yield f"{place}: utterance {utterance}", normalise(text, case=self.case)
        for path in self.texts:
            for number, line in enumerate(text_lines(path.get_path()), 1):
                yield f"{path.get_path()}:{number}", normalise(line, case=self.case)

    def _sentences(self, reserved: str) -> Iterator[str]:
        """The texts that are not empty.

        :param reserved: characters that are marks among the labels
        :raises CorpusError: at the end; a text has one of them
        """
        problems, number = [], 0
        for place, text in self._lines():
            if any(mark in text for mark in reserved):
                problems.append(f"{place}: {text!r}")
            elif text:
                number += 1
                yield text
        where = (self.transcripts or self.texts)[0].get_path()
        refuse(
            problems, where=where, remedy=f"Labels have these marks: remove them from the text: {' '.join(reserved)}"
        )
        if not number:
            raise ValueError(f"{where}: no text to make labels of")


class CollectCharactersJob(_LabelsOfTexts):
    """Makes an inventory of the characters of some texts, sorted, with ``|`` between words and blank as the last label.

    :param transcripts: utterance ids and words
    :param texts: one sentence per line
    :param case: of the labels: ``"upper"``, ``"lower"``, or ``"keep"`` for the case of the texts
    :param words: whether the texts have spaces between words; if not, there is no ``|``
    """

    def __init__(
        self,
        *,
        transcripts: Sequence[tk.Path] = (),
        texts: Sequence[tk.Path] = (),
        case: str,
        words: bool = True,
    ):
        super().__init__(transcripts=transcripts, texts=texts, case=case)
        self.words = words

    def run(self):
        separator = SEPARATOR if self.words else ""
        counts = Counter(character for text in self._sentences(separator) for character in text)
        del counts[" "]
        labels = [*([separator] if separator else []), *sorted(counts), BLANK]
        inventory = Inventory("characters", labels, len(labels) - 1, case=self.case, boundary=separator)
        write_inventory(self.out_inventory.get_path(), inventory)
        print(f"{len(counts)} characters: {' '.join(f'{name}:{count}' for name, count in counts.most_common())}")


class TrainPiecesJob(_LabelsOfTexts):
    """Trains pieces of words with ``sentencepiece``; every character of the texts is one of them.

    The label of a piece is its number in the model, in which ``<unk>`` has the place of blank, 0.

    :param transcripts: utterance ids and words
    :param texts: one sentence per line
    :param size: number of labels, blank included
    :param method: ``"unigram"`` or ``"bpe"``
    :param case: of the labels: ``"upper"``, ``"lower"``, or ``"keep"`` for the case of the texts

    ``out_model``: for :class:`ctc_kd.lexicon.spelling.Speller`.
    """

    def __init__(
        self,
        *,
        transcripts: Sequence[tk.Path] = (),
        texts: Sequence[tk.Path] = (),
        size: int,
        method: str = "unigram",
        case: str,
    ):
        if method not in ("unigram", "bpe"):
            raise ValueError(f"method is {method!r}, expected unigram or bpe")
        super().__init__(transcripts=transcripts, texts=texts, case=case)
        self.size = size
        self.method = method
        self.out_model = self.output_path("pieces.model")

    def run(self):
        from sentencepiece import SentencePieceProcessor

        with complete_file(self.out_model.get_path()) as partial, open(partial, "wb") as file:
            train_pieces(self._sentences(START_OF_WORD + UNKNOWN_PIECE), file, size=self.size, method=self.method)
        processor = SentencePieceProcessor(model_file=self.out_model.get_path())
        pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
        inventory = Inventory("pieces", [BLANK, *pieces[1:]], 0, case=self.case, boundary=START_OF_WORD)
        write_inventory(self.out_inventory.get_path(), inventory)
        print(f"{len(pieces) - 1} pieces, such as {' '.join(itertools.islice(pieces, 1, 50))}")


def train_pieces(sentences: Iterator[str], file, *, size: int, method: str):
    """
    :param sentences: normalised; the model leaves them as they are
    :param file: the model is written to it
    :raises ValueError: the texts have more characters than ``size``, or too few pieces for it
    """
    from sentencepiece import SentencePieceTrainer

    try:
        SentencePieceTrainer.train(
            sentence_iterator=sentences,
            model_writer=file,
            vocab_size=size,
            model_type=method,
            character_coverage=1.0,
            normalization_rule_name="identity",
            max_sentence_length=1 << 20,  # bytes; longer ones would be left out
            num_threads=1,  # the sums of several threads differ in their last digits from run to run
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            minloglevel=1,
        )
    except RuntimeError as error:
        raise ValueError(f"{size} pieces cannot be made of these texts: {error}") from error
