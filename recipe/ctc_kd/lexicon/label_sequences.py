"""Label sequences: the targets of CTC training."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.files import write_lines
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.pronunciations import read_lexicon


class LabelSequencesJob(Job):
    """Writes label indices for each utterance: the first pronunciation of its words, the last phonemes marked ``#``.

    :param transcripts: what was said
    :param lexicon: must have every word, see ``skip_unknown_words``
    :param skip_unknown_words: leave out (and count) the utterances with words outside the lexicon, as is done for the
        cross-validation set, whose words get no G2P pronunciations; otherwise such a word is an error
    :param unknown_label: for models with 80 classes, see :func:`ctc_kd.lexicon.inventory.phonemes`
    """

    def __init__(
        self,
        *,
        transcripts: tk.Path,
        lexicon: tk.Path,
        skip_unknown_words: bool = False,
        unknown_label: bool = False,
    ):
        self.transcripts = transcripts
        self.lexicon = lexicon
        self.skip_unknown_words = skip_unknown_words
        self.unknown_label = unknown_label
        self.out_hdf = self.output_path("labels.hdf")
        self.out_utterances = self.output_path("utterances.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        transcripts = read_transcripts(self.transcripts.get_path())
        first = {word: all_[0] for word, all_ in read_lexicon(self.lexicon.get_path()).items()}
        unknown = {utterance: [w for w in text.split() if w not in first] for utterance, text in transcripts.items()}
        unknown = {utterance: words for utterance, words in unknown.items() if words}
        if unknown and not self.skip_unknown_words:
            raise ValueError(self.describe(unknown))
        kept = {utterance: text.split() for utterance, text in transcripts.items() if utterance not in unknown}
        if not kept:
            raise ValueError(f"{self.transcripts}: every utterance has a word outside {self.lexicon}")
        self.write(kept, first)
        print(f"{len(kept)} utterances; {len(unknown)} left out for unknown words: {sorted(unknown)[:10]}")

    def describe(self, unknown: dict[str, list[str]]) -> str:
        words = sorted({word for words in unknown.values() for word in words})
        utterance, missing = next(iter(unknown.items()))
        return (
            f"{self.lexicon} has no pronunciation of {len(words)} word(s) in {len(unknown)} utterance(s) of "
            f"{self.transcripts}, such as {missing[0]} in utterance {utterance}. All: {' '.join(words[:50])}"
            f"{' ...' if len(words) > 50 else ''}. Add them to the lexicon, by G2P (OovWordsJob, TrainG2PJob, "
            "ApplyG2PJob, MergeLexiconJob) or by hand; for a cross-validation set use skip_unknown_words."
        )

    def write(self, kept: dict[str, list[str]], first: dict[str, tuple[str, ...]]):
        import numpy as np

        from ctc_kd.store import HdfWriter

        inventory = phonemes(80 if self.unknown_label else 79)
        metadata = {"content": "labels", "inventory": inventory.facts()}
        with HdfWriter(self.out_hdf.get_path(), labels=inventory.labels, metadata=metadata) as hdf:
            for utterance, words in kept.items():
                sequence = inventory.sentence(first[word] for word in words)
                hdf.add(utterance, np.array(sequence, dtype="int32"))
        write_lines(self.out_utterances.get_path(), kept)
