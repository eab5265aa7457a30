"""Other labels than phonemes: what a corpus needs to be learnt and recognised with them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.experiments.corpora import Corpus, at_all_speeds, label_sequences, ngram_lm
from ctc_kd.experiments.presets import Preset
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.lexicon.made_inventories import CollectCharactersJob, TrainPiecesJob
from ctc_kd.lexicon.spell import SpellTextJob, SpellTranscriptsJob, SpellWordsJob


class Labels(NamedTuple):
    """
    :param name: of the kind of labels, added to that of a corpus
    :param inventory: the labels
    :param tokenizer: what cuts words into pieces, see :class:`ctc_kd.lexicon.spelling.Speller`; characters have none
    """

    name: str
    inventory: tk.Path
    tokenizer: tk.Path | str | None = None

    def spelling(self) -> dict:
        """Arguments of the jobs that spell."""
        return {"inventory": self.inventory, "tokenizer": self.tokenizer}


def characters_of(transcripts: tk.Path, *texts: tk.Path, case: str) -> Labels:
    """The characters of texts with spaces between words."""
    job = CollectCharactersJob(transcripts=[transcripts], texts=list(texts), case=case)
    return Labels("characters", job.out_inventory)


def pieces_of(transcripts: tk.Path, *texts: tk.Path, size: int, case: str) -> Labels:
    """Pieces of words, trained on texts."""
    job = TrainPiecesJob(transcripts=[transcripts], texts=list(texts), size=size, case=case)
    return Labels("pieces", job.out_inventory, job.out_model)


def for_other_labels(preset: Preset) -> Preset:
    """The preset without the number of labels, which an inventory says."""
    models = {name: getattr(preset, name) for name in ("teacher", "student", "baseline")}
    return replace(preset, **{name: model and _unsized(model) for name, model in models.items()})


def _unsized(model: dict) -> dict:
    return {field: value for field, value in model.items() if field != "num_labels_with_blank"}


def with_labels(preset: Preset, corpus: Corpus, labels: Labels) -> Corpus:
    """The corpus with other labels, which spell its transcripts and the words of its lexicon.

    Utterances of ``validation`` with missing characters have no labels; anywhere else such a character is an error.
    """
    train, validation = (corpus.transcripts[name] for name in ("train", corpus.validation))
    spelled = {
        "train": SpellTranscriptsJob(transcripts=at_all_speeds(preset, train), **labels.spelling()).out_hdf,
        corpus.validation: references_of(corpus, labels, corpus.validation),
    }
    lexicon = corpus.lexicon and SpellWordsJob(lexica=[corpus.lexicon], **labels.spelling()).out_lexicon
    name = f"{corpus.name}-{labels.name}"
    return replace(corpus, name=name, labels=spelled, lexicon=lexicon, inventory=labels.inventory)


def references_of(corpus: Corpus, labels: Labels, name: str) -> tk.Path:
    """Label sequences of the utterances of a set that the labels can spell."""
    return SpellTranscriptsJob(transcripts=corpus.transcripts[name], missing="skip", **labels.spelling()).out_hdf


def label_references(corpus: Corpus, preset: Preset, name: str, labels: Labels | None) -> tk.Path:
    """Label sequences of a set, to count label errors against.

    Phonemes are those of the first pronunciation of each word; utterances with other words than those of the lexicon
    have none.

    :param labels: those of the corpus if they spell words; None for phonemes
    :raises ValueError: there are neither such labels nor a lexicon
    """
    if labels is not None:
        return references_of(corpus, labels, name)
    if corpus.lexicon is None:
        raise ValueError(f"corpus {corpus.name} has no lexicon: say which labels spell its words")
    if corpus.inventory is None:
        return label_sequences(preset, corpus.lexicon, {name: corpus.transcripts[name]})[name]
    job = LabelSequencesJob(
        transcripts=corpus.transcripts[name],
        lexicon=corpus.lexicon,
        skip_unknown_words=True,
        inventory=corpus.inventory,
    )
    return job.out_hdf


def with_label_lm(corpus: Corpus, labels: Labels, text: tk.Path) -> Corpus:
    """The corpus, recognised without lexicon by a 6-gram over labels.

    :param text: one sentence per line; those with missing characters are left out
    """
    spelled = SpellTextJob(text=text, missing="skip", **labels.spelling()).out_text
    return replace(corpus, lexicon=None, lm=ngram_lm(spelled, order=6), lm_statistics={})


def without_lm(corpus: Corpus) -> Corpus:
    """The corpus, recognised by the best path."""
    return replace(corpus, lexicon=None, lm=None, lm_statistics={})
