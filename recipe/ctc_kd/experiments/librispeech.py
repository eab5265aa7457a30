"""LibriSpeech, Mini LibriSpeech, and folders in their layout, as the experiments see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sisyphus import tk

from ctc_kd.corpus.public_files import corpus_dir, resource
from ctc_kd.corpus.sets import (
    CombineCutsJob,
    CombineTranscriptsJob,
    SampleUtterancesJob,
    SelectTranscriptsJob,
)
from ctc_kd.experiments.corpora import (
    Corpus,
    Part,
    archive,
    archives_at_all_speeds,
    known_counts,
    label_sequences,
    librispeech_part,
    lm_statistics,
    with_g2p,
)
from ctc_kd.experiments.presets import Preset
from ctc_kd.lexicon.published_lexica import PublishedLexiconJob
from ctc_kd.lm.kenlm_tools import BuildKenLmToolsJob
from ctc_kd.lm.ngram import KenLmBinaryJob

TRAIN_PARTS = ("train-clean-100", "train-clean-360", "train-other-500")
EVALUATION_PARTS = ("dev-clean", "dev-other", "test-clean", "test-other")
VALIDATION_SAMPLE, VALIDATION_SEED = 1500, 42


def librispeech_other(preset: Preset) -> Corpus:
    """All 960 hours, with tables for dev-other and test-other, as in the paper.

    Lexicon and 4-gram are those of OpenSLR 11. The validation set is a sample of both dev sets, as in the published
    code.
    """
    parts = {
        part: librispeech_part(corpus_dir("librispeech", part), part) for part in (*TRAIN_PARTS, *EVALUATION_PARTS)
    }
    sets = {part: parts[part] for part in EVALUATION_PARTS}
    sets["train"] = combined([parts[part] for part in TRAIN_PARTS])
    sets["validation"] = sample([parts["dev-clean"], parts["dev-other"]])
    lexicon, lm = official_lexicon(), official_lm()
    complete = with_g2p(lexicon, sets["train"].transcripts, learn_from=lexicon)
    labelled = {name: sets[name].transcripts for name in ("train", "validation")}
    transcripts = {part: parts[part].transcripts for part in EVALUATION_PARTS}
    return Corpus(
        name="librispeech-other",
        audio={name: archive(preset, part.cuts) for name, part in sets.items()},
        student_audio=archives_at_all_speeds(preset, sets["train"].cuts),
        cuts={name: part.cuts for name, part in sets.items()},
        transcripts=transcripts,
        labels=label_sequences(preset, complete, labelled),
        lexicon=lexicon,
        lm=lm,
        lm_statistics=lm_statistics(lm, transcripts),
        validation="validation",
        dev="dev-other",
        test="test-other",
        recognised=EVALUATION_PARTS,
        checks=known_counts("librispeech", parts),
    )


def librispeech_clean(preset: Preset) -> Corpus:
    """The same models, with tables for dev-clean and test-clean."""
    other = librispeech_other(preset)
    return replace(other, name="librispeech-clean", dev="dev-clean", test="test-clean", teacher_dev=other.dev)


def official_lexicon() -> tk.Path:
    return PublishedLexiconJob(dictionary=resource("librispeech-lexicon.txt")).out_lexicon


def official_lm() -> tk.Path:
    """The unpruned 4-gram of OpenSLR 11."""
    tools = BuildKenLmToolsJob().out_bin
    return KenLmBinaryJob(arpa=resource("4-gram.arpa.gz"), kenlm_tools=tools).out_binary


def combined(parts: Sequence[Part]) -> Part:
    cuts = CombineCutsJob(cuts=[part.cuts for part in parts])
    transcripts = CombineTranscriptsJob(transcripts=[part.transcripts for part in parts])
    return Part(cuts.out_cuts, transcripts.out_transcripts)


def sample(parts: Sequence[Part]) -> Part:
    """Draws :data:`VALIDATION_SAMPLE` utterances of each part."""
    sampled = []
    for part in parts:
        draw = SampleUtterancesJob(cuts=part.cuts, num=VALIDATION_SAMPLE, seed=VALIDATION_SEED)
        sampled.append(selected(part, draw.out_cuts))
    return combined(sampled)


def selected(part: Part, cuts: tk.Path) -> Part:
    """Keeps the utterances of ``part`` that are in ``cuts``."""
    transcripts = SelectTranscriptsJob(transcripts=part.transcripts, cuts=cuts)
    return Part(cuts, transcripts.out_transcripts)
