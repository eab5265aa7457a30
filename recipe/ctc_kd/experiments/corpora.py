"""Corpora as the experiments see them: audio archives, transcripts, labels, lexicon and language model."""

from __future__ import annotations

from dataclasses import dataclass

from sisyphus import tk

from ctc_kd.corpus.demo import SynthesiseDemoCorpusJob
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.experiments.presets import Preset
from ctc_kd.lexicon.g2p import ApplyG2PJob, OovWordsJob, TrainG2PJob
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.lexicon.lexica import CmuLexiconJob, MergeLexiconJob
from ctc_kd.lm.kenlm_tools import BuildKenLmToolsJob
from ctc_kd.lm.ngram import KenLmBinaryJob, NgramLmJob
from ctc_kd.lm.statistics import LmStatisticsJob


@dataclass(frozen=True)
class Corpus:
    """Sets are called ``train``, ``dev`` and ``test``.

    :param name: as in reports, and for the numbers of the paper
    :param audio: set -> archive, made without looking at transcripts
    :param transcripts: set -> transcripts
    :param labels: label sequences of ``train``, and of the part of ``dev`` whose words the lexicon has
    :param lexicon: all pronunciations of the words that can be recognised
    :param lm: n-gram model for recognition
    :param lm_statistics: what a report says of it
    """

    name: str
    audio: dict[str, tk.Path]
    transcripts: dict[str, tk.Path]
    labels: dict[str, tk.Path]
    lexicon: tk.Path
    lm: tk.Path
    lm_statistics: dict[str, tk.Variable]


def demo_corpus(preset: Preset) -> Corpus:
    """The embedded corpus: synthesised, then read like LibriSpeech."""
    speech = preset.place(SynthesiseDemoCorpusJob())
    audio, transcripts = {}, {}
    for part in ("train", "dev", "test"):
        reader = preset.place(ReadLibriSpeechAudioJob(corpus_dir=speech.out_corpus, part=part))
        audio[part] = preset.place(OggZipJob(cuts=reader.out_cuts)).out_ogg_zip
        transcripts[part] = preset.place(
            ReadLibriSpeechTranscriptsJob(corpus_dir=speech.out_corpus, part=part, cuts=reader.out_cuts)
        ).out_transcripts

    texts = [speech.out_lm_text, transcripts["train"]]
    withheld = {"words": texts, "withhold": 0.02, "withhold_from": transcripts["train"]}
    lexicon = preset.place(CmuLexiconJob(**withheld)).out_lexicon
    g2p_lexicon = preset.place(CmuLexiconJob(**withheld, extra_words=1500)).out_lexicon
    labels = label_sequences(preset, transcripts, lexicon, g2p_lexicon)
    lm, lm_statistics = ngram_lm(preset, speech.out_lm_text, transcripts)
    return Corpus("demo", audio, transcripts, labels, lexicon, lm, lm_statistics)


def label_sequences(
    preset: Preset, transcripts: dict[str, tk.Path], lexicon: tk.Path, g2p_lexicon: tk.Path
) -> dict[str, tk.Path]:
    """Labels of train, where G2P pronounces the words that the lexicon lacks, and of dev where the lexicon suffices."""
    model = preset.place(TrainG2PJob(lexicon=g2p_lexicon, max_iterations=10)).out_model
    unknown = preset.place(OovWordsJob(transcripts=transcripts["train"], lexicon=lexicon)).out_words
    pronounced = preset.place(ApplyG2PJob(model=model, words=unknown)).out_lexicon
    complete = preset.place(MergeLexiconJob(lexica=[lexicon, pronounced])).out_lexicon
    return {
        "train": preset.place(LabelSequencesJob(transcripts=transcripts["train"], lexicon=complete)).out_hdf,
        "dev": preset.place(
            LabelSequencesJob(transcripts=transcripts["dev"], lexicon=complete, skip_unknown_words=True)
        ).out_hdf,
    }


def ngram_lm(preset: Preset, text: tk.Path, transcripts: dict[str, tk.Path]) -> tuple[tk.Path, dict[str, tk.Variable]]:
    """A 4-gram on ``text`` as binary, with its perplexity and OOV rate on dev and test."""
    tools = preset.place(BuildKenLmToolsJob()).out_bin
    arpa = preset.place(NgramLmJob(text=text, order=4, kenlm_tools=tools)).out_arpa
    lm = preset.place(KenLmBinaryJob(arpa=arpa, kenlm_tools=tools)).out_binary
    statistics = {}
    for part in ("dev", "test"):
        job = preset.place(LmStatisticsJob(lm=lm, transcripts=transcripts[part]))
        statistics[f"perplexity {part}"] = job.out_perplexity
        statistics[f"OOV rate {part} (%)"] = job.out_oov_rate
    return lm, statistics
