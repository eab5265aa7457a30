"""Label sequences: the targets of CTC training."""

from __future__ import annotations

from collections.abc import Iterable

from sisyphus import Job, Task, tk

from ctc_kd.corpus.transcripts import read_normalised
from ctc_kd.files import write_lines
from ctc_kd.inventory import Inventory, read_inventory
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.pronunciations import read_spellings


class LabelSequencesJob(Job):
    """Writes label indices for each utterance: the first pronunciation of its words, put together as the labels say.

    The last phonemes of words are marked ``#``, or a label of its own stands between words, see
    :class:`ctc_kd.inventory.Inventory`.

    :param transcripts: what was said
    :param lexicon: must have every word, see ``skip_unknown_words``
    :param skip_unknown_words: leave out (and count) the utterances with words outside the lexicon, as is done for the
        cross-validation set, whose words get no G2P pronunciations; otherwise such a word is an error
    :param unknown_label: for models with 80 classes, see :func:`ctc_kd.lexicon.inventory.phonemes`
    :param inventory: the labels of the lexicon; None for the phonemes
    """

    __sis_hash_exclude__ = {"inventory": None}

    def __init__(
        self,
        *,
        transcripts: tk.Path,
        lexicon: tk.Path,
        skip_unknown_words: bool = False,
        unknown_label: bool = False,
        inventory: tk.Path | None = None,
    ):
        if unknown_label and inventory is not None:
            raise ValueError("unknown_label adds a label to the phonemes, but the labels are those of the inventory")
        self.transcripts = transcripts
        self.lexicon = lexicon
        self.skip_unknown_words = skip_unknown_words
        self.unknown_label = unknown_label
        self.inventory = inventory
        self.out_hdf = self.output_path("labels.hdf")
        self.out_utterances = self.output_path("utterances.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        path = self.inventory and self.inventory.get_path()
        inventory = read_inventory(path) if path else phonemes(80 if self.unknown_label else 79)
        transcripts = read_normalised(self.transcripts.get_path(), path)
        labels = labels_of_words(self.lexicon.get_path(), inventory)
        unknown = {
            utterance: words
            for utterance, text in transcripts.items()
            if (words := [word for word in text.split() if word not in labels])
        }
        if unknown and not self.skip_unknown_words:
            raise ValueError(self.describe(unknown))
        if len(unknown) == len(transcripts):
            raise ValueError(f"{self.transcripts}: every utterance has a word outside {self.lexicon}")
        sequences = (
            (utterance, inventory.joined(labels[word] for word in text.split()))
            for utterance, text in transcripts.items()
            if utterance not in unknown
        )
        write_sequences(self.out_hdf.get_path(), self.out_utterances.get_path(), inventory, sequences)
        kept = len(transcripts) - len(unknown)
        print(f"{kept} utterances; {len(unknown)} left out for unknown words: {sorted(unknown)[:10]}")

    def describe(self, unknown: dict[str, list[str]]) -> str:
        words = sorted({word for words in unknown.values() for word in words})
        utterance, missing = next(iter(unknown.items()))
        return (
            f"{self.lexicon} has no pronunciation of {len(words)} word(s) in {len(unknown)} utterance(s) of "
            f"{self.transcripts}, such as {missing[0]} in utterance {utterance}. All: {' '.join(words[:50])}"
            f"{' ...' if len(words) > 50 else ''}. Add them to the lexicon, by G2P (OovWordsJob, TrainG2PJob, "
            "ApplyG2PJob, MergeLexiconJob) or by hand; for a cross-validation set use skip_unknown_words."
        )


def write_sequences(hdf: str, utterances: str, inventory: Inventory, sequences: Iterable[tuple[str, list[int]]]):
    """Writes ``(utterance, labels)`` into a store, and the utterances into a text."""
    import numpy as np

    from ctc_kd.store import HdfWriter

    written = []
    metadata = {"content": "labels", "inventory": inventory.facts()}
    with HdfWriter(hdf, labels=inventory.labels, metadata=metadata) as store:
        for utterance, labels in sequences:
            store.add(utterance, np.array(labels, dtype="int32"))
            written.append(utterance)
    write_lines(utterances, written)


def labels_of_words(lexicon: str, inventory: Inventory) -> dict[str, tuple[int, ...]]:
    """Word, as transcripts have it -> the labels of the first of its spellings.

    :raises ValueError: one of them has a label that is not in the inventory
    """
    labels = {}
    for word, (spelling, *_) in read_spellings(lexicon, inventory).items():
        try:
            labels[word] = inventory.word(spelling)
        except ValueError as error:
            raise ValueError(f"{lexicon}: {word}: {error}") from None
    return labels
