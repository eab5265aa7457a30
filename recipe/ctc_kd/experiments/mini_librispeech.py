"""Small sets of real speech in LibriSpeech's layout: Mini LibriSpeech, or one folder with speakers held out."""

from __future__ import annotations

from sisyphus import gs, tk

from ctc_kd.corpus.known_counts import KNOWN_COUNTS
from ctc_kd.corpus.public_files import corpus_dir
from ctc_kd.corpus.sets import SplitBySpeakerJob
from ctc_kd.experiments.corpora import (
    Corpus,
    Part,
    known_counts,
    librispeech_part,
    ngram_lm,
    three_sets,
    with_g2p,
)
from ctc_kd.experiments.librispeech import official_lexicon, official_lm, selected
from ctc_kd.experiments.presets import Preset
from ctc_kd.lexicon.lexica import CmuLexiconJob
from ctc_kd.lm.text import LmTextJob

SETS = {
    "train": ("mini_librispeech", "train-clean-5"),
    "dev": ("mini_librispeech", "dev-clean-2"),
    "test": ("librispeech", "test-clean"),
}
"""Set -> corpus and part, see :func:`ctc_kd.corpus.public_files.corpus_dir`; ``MINI_SETS`` of ``settings.py`` replaces
them."""


def mini_librispeech(preset: Preset) -> Corpus:
    """Five hours; dev is Mini LibriSpeech's, test is LibriSpeech's test-clean, lexicon and 4-gram are LibriSpeech's."""
    sets = {**SETS, **getattr(gs, "MINI_SETS", {})}
    parts = {name: librispeech_part(preset, corpus_dir(*source), source[1]) for name, source in sets.items()}
    known = {sets[name][1]: part for name, part in parts.items() if sets[name][1] in KNOWN_COUNTS["librispeech"]}
    return small_corpus(
        preset,
        "mini_librispeech",
        parts,
        lexicon=official_lexicon(preset),
        lm=official_lm(preset),
        checks=known_counts(preset, "librispeech", known),
    )


def held_out(preset: Preset, name: str, folder: tk.Path, part: str, *, speakers: int, text: tk.Path) -> Corpus:
    """One part of a corpus on disk; its last speakers are test and dev, the others train.

    :param folder: holds the part
    :param speakers: in dev, and in test
    :param text: for the language model beside the training transcripts, one sentence a line
    """
    whole = librispeech_part(preset, folder, part)
    split = preset.place(SplitBySpeakerJob(cuts=whole.cuts, dev_speakers=speakers, test_speakers=speakers))
    cuts = {"train": split.out_train, "dev": split.out_dev, "test": split.out_test}
    parts = {name: selected(preset, whole, path) for name, path in cuts.items()}
    lm_text = preset.place(LmTextJob(texts=[text], transcripts=[parts["train"].transcripts])).out_text
    lexicon = preset.place(CmuLexiconJob(words=[text, parts["train"].transcripts])).out_lexicon
    return small_corpus(preset, name, parts, lexicon=lexicon, lm=ngram_lm(preset, lm_text))


def small_corpus(
    preset: Preset,
    name: str,
    parts: dict[str, Part],
    *,
    lexicon: tk.Path,
    lm: tk.Path,
    checks: tuple[tk.Path, ...] = (),
) -> Corpus:
    """:param parts: ``train``, ``dev`` and ``test``"""
    spoken = parts["train"].transcripts
    g2p_lexicon = preset.place(CmuLexiconJob(words=[spoken], extra_words=5000)).out_lexicon
    complete = with_g2p(preset, lexicon, spoken, learn_from=g2p_lexicon, max_iterations=10)
    return three_sets(preset, name, parts, lexicon=lexicon, complete_lexicon=complete, lm=lm, checks=checks)
