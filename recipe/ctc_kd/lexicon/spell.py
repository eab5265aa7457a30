"""Jobs that spell transcripts, words and texts with characters or pieces; phonemes have ``LabelSequencesJob``."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence

from sisyphus import Job, Task, tk

from ctc_kd.corpus.transcripts import normalise_spaces, read_texts
from ctc_kd.corpus.word_lists import VARIANT, entries
from ctc_kd.files import complete_file, text_lines
from ctc_kd.lexicon.label_sequences import write_sequences
from ctc_kd.lexicon.pronunciations import write_lexicon
from ctc_kd.lexicon.spelling import check_missing, spelled, speller


class SpellTranscriptsJob(Job):
    """Writes label indices for each utterance, the targets of CTC training.

    :param inventory: characters or pieces
    :param tokenizer: what cuts words into pieces, see :class:`ctc_kd.lexicon.spelling.Speller`
    :param missing: ``"error"`` if an utterance has a character that the labels lack, or ``"skip"`` to leave it out

    ``out_utterances``: those that are in ``out_hdf``.
    """

    def __init__(
        self,
        *,
        transcripts: tk.Path,
        inventory: tk.Path,
        tokenizer: tk.Path | str | None = None,
        missing: str = "error",
    ):
        check_missing(missing)
        self.transcripts = transcripts
        self.inventory = inventory
        self.tokenizer = tokenizer
        self.missing = missing
        self.out_hdf = self.output_path("labels.hdf")
        self.out_utterances = self.output_path("utterances.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        path, spell = self.transcripts.get_path(), speller(self.inventory, self.tokenizer)
        texts = [(f"utterance {utterance}", text) for utterance, text in read_texts(path).items()]
        sequences = (
            (name.removeprefix("utterance "), labels)
            for name, labels in spelled(spell, texts, missing=self.missing, where=path)
        )
        write_sequences(self.out_hdf.get_path(), self.out_utterances.get_path(), spell.inventory, sequences)


class SpellWordsJob(Job):
    """Writes a lexicon for the search: each word as it stands in its source, and the labels that spell it.

    :param lexica: word lists or lexica, whose lines begin with a word
    :param texts: texts, all of whose words are wanted
    :param inventory: characters or pieces
    :param tokenizer: what cuts words into pieces, see :class:`ctc_kd.lexicon.spelling.Speller`
    :param missing: ``"error"`` if a word has a character that the labels lack, or ``"skip"`` to leave it out, so that
        it cannot be recognised
    """

    def __init__(
        self,
        *,
        lexica: Sequence[tk.Path] = (),
        texts: Sequence[tk.Path] = (),
        inventory: tk.Path,
        tokenizer: tk.Path | str | None = None,
        missing: str = "error",
    ):
        if not lexica and not texts:
            raise ValueError("neither lexica nor texts: name at least one")
        check_missing(missing)
        self.lexica = lexica
        self.texts = texts
        self.inventory = inventory
        self.tokenizer = tokenizer
        self.missing = missing
        self.out_lexicon = self.output_path("lexicon.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        # word(2) would be read as a second spelling of word
        words = {word: word for word in self._words() if not VARIANT.search(word)}
        spell = speller(self.inventory, self.tokenizer)
        where = ", ".join(path.get_path() for path in [*self.lexica, *self.texts])
        names = spell.inventory.labels
        found = spelled(spell, words.items(), missing=self.missing, where=where)
        lexicon = {word: [[names[label] for label in labels]] for word, labels in found}
        write_lexicon(self.out_lexicon.get_path(), lexicon)

    def _words(self) -> Iterator[str]:
        for path in self.lexica:
            yield from (normalise_spaces(entry.written) for entry in _entries(path))
        for path in self.texts:
            yield from (word for line in text_lines(path.get_path()) for word in normalise_spaces(line).split())


def _entries(path: tk.Path):
    return entries(text_lines(path.get_path()), name=path.get_path())


class SpellTextJob(Job):
    """Writes a text as labels, one sentence per line, on which ``NgramLmJob`` estimates an n-gram over labels.

    :param text: one sentence per line
    :param inventory: characters or pieces
    :param tokenizer: what cuts words into pieces, see :class:`ctc_kd.lexicon.spelling.Speller`
    :param missing: ``"error"`` if a line has a character that the labels lack, or ``"skip"`` to leave it out
    """

    def __init__(
        self, *, text: tk.Path, inventory: tk.Path, tokenizer: tk.Path | str | None = None, missing: str = "error"
    ):
        check_missing(missing)
        self.text = text
        self.inventory = inventory
        self.tokenizer = tokenizer
        self.missing = missing
        self.out_text = self.output_path("text.gz")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        path, spell = self.text.get_path(), speller(self.inventory, self.tokenizer)
        tokens = spell.inventory.tokens
        lines = ((f"line {number}", line) for number, line in enumerate(text_lines(path), 1) if line.strip())
        with complete_file(self.out_text.get_path()) as partial, gzip.open(partial, "wt", encoding="utf-8") as file:
            for _, labels in spelled(spell, lines, missing=self.missing, where=path):
                file.write(f"{' '.join(tokens[label] for label in labels)}\n")
