"""A corpus as the experiments see it: audio archives, transcripts, labels, lexicon and language model."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.corpus.known_counts import KNOWN_COUNTS, CheckCountsJob
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.corpus.speed import PerturbedTranscriptsJob
from ctc_kd.experiments.presets import Preset
from ctc_kd.lexicon.g2p import ApplyG2PJob, OovWordsJob, TrainG2PJob
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.lexicon.lexica import MergeLexiconJob
from ctc_kd.lm.kenlm_tools import BuildKenLmToolsJob
from ctc_kd.lm.ngram import KenLmBinaryJob, NgramLmJob
from ctc_kd.lm.statistics import LmStatisticsJob


@dataclass(frozen=True)
class Corpus:
    """
    :param name: shown in reports; the paper's numbers are found by it
    :param audio: set -> archive, made without looking at transcripts; ``train`` is one of the sets
    :param cuts: set -> lhotse manifest
    :param transcripts: set -> transcripts
    :param labels: label sequences of ``train``, and of the utterances of ``validation`` without unknown words
    :param lexicon: all spellings of the words that can be recognised; None to find what the labels say
    :param lm: n-gram model for recognition, of words, or of labels without a lexicon; None for the best path
    :param lm_statistics: facts about it for the report
    :param validation: the set whose loss is computed while training
    :param dev, test: the sets of the tables; everything is chosen on dev
    :param teacher_dev: the set that chooses among the teacher's checkpoints, if it is not dev. Corpora that share their
        trainings name the same set
    :param recognised: the sets whose posteriors are computed, at least dev and test
    :param student_audio: the archives that students learn from; ``train`` if there are none. They may hold ``train`` at
        several speeds, or audio without transcripts, on which only rows with lambda = 1 can be trained
    :param checks: notes by CheckCountsJob on the numbers of utterances
    :param prior: the set whose mean posteriors are the prior of the labels
    :param inventory: what the labels are; None for the phonemes
    :param unit: what errors are counted in, ``"words"`` or ``"characters"``
    """

    name: str
    audio: dict[str, tk.Path]
    cuts: dict[str, tk.Path]
    transcripts: dict[str, tk.Path]
    labels: dict[str, tk.Path]
    lexicon: tk.Path | None
    lm: tk.Path | None
    lm_statistics: dict[str, tk.Variable]
    validation: str = "dev"
    dev: str = "dev"
    test: str = "test"
    teacher_dev: str | None = None
    recognised: tuple[str, ...] = ("dev", "test")
    student_audio: tuple[tk.Path, ...] = ()
    checks: tuple[tk.Path, ...] = ()
    prior: str = "train"
    inventory: tk.Path | None = None
    unit: str = "words"

    def __post_init__(self):
        if self.lexicon is not None and self.lm is None:
            raise ValueError(f"corpus {self.name} has a lexicon, but no language model of words to search with")


class Part(NamedTuple):
    """One part of a corpus.

    :param cuts: lhotse manifest
    :param transcripts: of the same utterances; None if there are none
    """

    cuts: tk.Path
    transcripts: tk.Path | None


class Labelled(NamedTuple):
    """Audio whose labels are known.

    :param cuts: lhotse manifest
    :param labels: label sequences of these utterances, and maybe of others
    """

    cuts: tk.Path
    labels: tk.Path


def on_disk(path: str) -> tk.Path:
    """A file or folder of one's own, read in place. The path is its identity, so two places are two sources.

    A relative path starts in the setup folder. A link there gives a source a name of its own, by which the ids of jobs
    stay if the data moves: ``ln -s /data/recordings``, then ``recordings``.
    """
    return tk.Path(os.path.normpath(os.path.expanduser(path)))


def folder_and_part(path: str) -> tuple[tk.Path, str]:
    """A part of a corpus on disk, in the folder that holds it."""
    folder, part = os.path.split(os.path.normpath(path))
    return on_disk(folder), part


def last_name(path: str) -> str:
    return os.path.basename(os.path.normpath(path))


def is_path(model: str) -> bool:
    """Whether a model is named by a path; else, it has a name that a hub knows."""
    return model.startswith(("/", ".", "~")) or os.path.isdir(model)


def librispeech_part(corpus_dir: tk.Path, part: str) -> Part:
    """Reads a folder in LibriSpeech's layout."""
    cuts = ReadLibriSpeechAudioJob(corpus_dir=corpus_dir, part=part).out_cuts
    reader = ReadLibriSpeechTranscriptsJob(corpus_dir=corpus_dir, part=part, cuts=cuts)
    return Part(cuts, reader.out_transcripts)


def archive(preset: Preset, cuts: tk.Path, *, length_factor: float = 1.0) -> tk.Path:
    return OggZipJob(cuts=cuts, audio_format=preset.audio_format, length_factor=length_factor).out_ogg_zip


def archives_at_all_speeds(preset: Preset, cuts: tk.Path) -> tuple[tk.Path, ...]:
    return tuple(archive(preset, cuts, length_factor=factor) for factor in preset.speed_factors)


def known_counts(corpus: str, parts: dict[str, Part]) -> tuple[tk.Path, ...]:
    """Notes on whether the parts have the expected numbers of utterances and hours."""
    expected = KNOWN_COUNTS[corpus]
    jobs = [CheckCountsJob(cuts=read.cuts, part=part, expected=expected[part]) for part, read in parts.items()]
    return tuple(job.out_note for job in jobs)


def with_untranscribed(preset: Preset, corpus: Corpus, cuts: tk.Path) -> list[Corpus]:
    """Two variants of a corpus for rows with lambda = 1, which need no transcripts to learn from.

    :param cuts: manifest of audio without transcripts
    :return: in the first, students learn from ``train`` and this audio; in the second, from this audio only
    """
    untranscribed = archive(preset, cuts)
    added = replace(
        corpus, name=f"{corpus.name}-and-untranscribed", student_audio=(corpus.audio["train"], untranscribed)
    )
    return [added, replace(corpus, name=f"{corpus.name}-untranscribed-only", student_audio=(untranscribed,))]


def three_sets(
    preset: Preset,
    name: str,
    parts: dict[str, Part],
    *,
    lexicon: tk.Path,
    complete_lexicon: tk.Path,
    lm: tk.Path,
    checks: tuple[tk.Path, ...] = (),
) -> Corpus:
    """A corpus of ``train``, ``dev`` (for validation too) and ``test``.

    :param complete_lexicon: lexicon with all words of ``train``
    """
    transcripts = {part: read.transcripts for part, read in parts.items()}
    return Corpus(
        name=name,
        audio={part: archive(preset, read.cuts) for part, read in parts.items()},
        cuts={part: read.cuts for part, read in parts.items()},
        transcripts=transcripts,
        student_audio=archives_at_all_speeds(preset, parts["train"].cuts),
        labels=label_sequences(
            preset, complete_lexicon, {set_name: transcripts[set_name] for set_name in ("train", "dev")}
        ),
        lexicon=lexicon,
        lm=lm,
        lm_statistics=lm_statistics(lm, {part: transcripts[part] for part in ("dev", "test")}),
        checks=checks,
    )


def with_g2p(lexicon: tk.Path, transcripts: tk.Path, *, learn_from: tk.Path, **g2p) -> tk.Path:
    """Adds pronunciations by G2P to ``lexicon`` for the words of ``transcripts`` that it lacks.

    :param learn_from: lexicon to train G2P on
    :param g2p: arguments of TrainG2PJob
    """
    model = TrainG2PJob(lexicon=learn_from, **g2p).out_model
    unknown = OovWordsJob(transcripts=transcripts, lexicon=lexicon).out_words
    pronounced = ApplyG2PJob(model=model, words=unknown).out_lexicon
    return MergeLexiconJob(lexica=[lexicon, pronounced]).out_lexicon


def label_sequences(preset: Preset, lexicon: tk.Path, transcripts: dict[str, tk.Path]) -> dict[str, tk.Path]:
    """Labels of ``train`` at all speeds, and of the utterances of other sets whose words are all in the lexicon."""
    unknown_label = bool(phonemes(preset.student["num_labels_with_blank"]).unspoken)
    labels = {}
    for name, path in transcripts.items():
        job = LabelSequencesJob(
            transcripts=at_all_speeds(preset, path) if name == "train" else path,
            lexicon=lexicon,
            skip_unknown_words=name != "train",
            unknown_label=unknown_label,
        )
        labels[name] = job.out_hdf
    return labels


def at_all_speeds(preset: Preset, transcripts: tk.Path) -> tk.Path:
    """The transcripts of the training audio, whose utterances have an id for each speed."""
    if preset.speed_factors == (1.0,):
        return transcripts
    return PerturbedTranscriptsJob(transcripts=transcripts, factors=list(preset.speed_factors)).out_transcripts


def ngram_lm(text: tk.Path, *, order: int = 4) -> tk.Path:
    """Estimates an n-gram on ``text``, in KenLM's binary format."""
    tools = BuildKenLmToolsJob().out_bin
    arpa = NgramLmJob(text=text, order=order, kenlm_tools=tools).out_arpa
    return KenLmBinaryJob(arpa=arpa, kenlm_tools=tools).out_binary


def lm_statistics(lm: tk.Path, transcripts: dict[str, tk.Path]) -> dict[str, tk.Variable]:
    """Perplexity and OOV rate of each set."""
    statistics = {}
    for name, path in transcripts.items():
        job = LmStatisticsJob(lm=lm, transcripts=path)
        statistics[f"perplexity {name}"] = job.out_perplexity
        statistics[f"OOV rate {name} (%)"] = job.out_oov_rate
    return statistics
