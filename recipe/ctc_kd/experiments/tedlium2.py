"""TED-LIUM release 2 as the experiments see it."""

from __future__ import annotations

from sisyphus import tk

from ctc_kd.corpus.public_files import corpus_dir
from ctc_kd.corpus.tedlium import ReadTedliumAudioJob, ReadTedliumTranscriptsJob
from ctc_kd.experiments.corpora import Corpus, Part, known_counts, three_sets, with_g2p
from ctc_kd.experiments.presets import Preset
from ctc_kd.lexicon.published_lexica import TEDLIUM_CORRECTIONS, PublishedLexiconJob
from ctc_kd.lm.kenlm_tools import BuildKenLmToolsJob
from ctc_kd.lm.mixture import MixLmsJob
from ctc_kd.lm.mixture_weights import MixtureWeightsJob
from ctc_kd.lm.ngram import KenLmBinaryJob, NgramLmJob
from ctc_kd.lm.pruning import PruneLmJob
from ctc_kd.lm.text import LmTextJob

LM_TEXTS = (
    "commoncrawl-9pc.en.gz",
    "europarl-v7-6pc.en.gz",
    "giga-fren-4pc.en.gz",
    "news-18pc.en.gz",
    "news-commentary-v8-9pc.en.gz",
    "yandex-1m-31pc.en.gz",
)
ORDER, PRUNING_THRESHOLD = 4, 5e-10


def tedlium2(preset: Preset) -> Corpus:
    """The whole release: its talks, its dictionary, and a 4-gram on its texts."""
    folder = corpus_dir("tedlium2")
    parts = {part: tedlium_part(folder, part) for part in ("train", "dev", "test")}
    transcripts = {name: part.transcripts for name, part in parts.items()}
    dictionary = folder.join_right("TEDLIUM.152k.dic")
    lexicon = PublishedLexiconJob(dictionary=dictionary, corrections=TEDLIUM_CORRECTIONS).out_lexicon
    complete = with_g2p(lexicon, transcripts["train"], learn_from=lexicon)
    lm = mixed_lm(folder.join_right("LM"), transcripts, vocabulary=complete)
    checks = known_counts("tedlium2", parts)
    return three_sets(preset, "tedlium2", parts, lexicon=lexicon, complete_lexicon=complete, lm=lm, checks=checks)


def tedlium_part(corpus_dir: tk.Path, part: str) -> Part:
    """Reads a folder in the release's layout; segments of train are lengthened as in the published code."""
    cuts = ReadTedliumAudioJob(corpus_dir=corpus_dir, part=part, extend_boundaries=part == "train").out_cuts
    transcripts = ReadTedliumTranscriptsJob(corpus_dir=corpus_dir, part=part, cuts=cuts)
    return Part(cuts, transcripts.out_transcripts)


def mixed_lm(texts: tk.Path, transcripts: dict[str, tk.Path], *, vocabulary: tk.Path) -> tk.Path:
    """Mixes a 4-gram on each text with one on the training transcripts and one on everything.

    The weights are those that fit dev best. The mixture is pruned and converted to KenLM's binary format.
    """
    tools = BuildKenLmToolsJob().out_bin

    def estimated(texts: list[tk.Path], spoken: list[tk.Path], order: int) -> tk.Path:
        text = LmTextJob(texts=texts, transcripts=spoken).out_text
        return NgramLmJob(text=text, order=order, kenlm_tools=tools, vocabulary=vocabulary).out_arpa

    written, spoken = [texts.join_right(name) for name in LM_TEXTS], [transcripts["train"]]
    components = [*(estimated([text], [], ORDER) for text in written), estimated([], spoken, ORDER)]
    components.append(estimated(written, spoken, ORDER))
    binaries = [KenLmBinaryJob(arpa=arpa, kenlm_tools=tools).out_binary for arpa in components]
    weights = MixtureWeightsJob(lms=binaries, transcripts=transcripts["dev"]).out_weights
    mixture = MixLmsJob(arpas=components, weights=weights).out_arpa
    histories = [estimated(written, spoken, order) for order in range(1, ORDER)]
    pruned = PruneLmJob(arpa=mixture, threshold=PRUNING_THRESHOLD, histories=histories)
    return KenLmBinaryJob(arpa=pruned.out_arpa, kenlm_tools=tools).out_binary
