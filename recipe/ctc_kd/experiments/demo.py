"""The demo: the embedded corpus, and a preset that two cores train in minutes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sisyphus import tk

from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob
from ctc_kd.corpus.synthetic.demo import MINUTES, UNTRANSCRIBED, SynthesiseDemoCorpusJob
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.corpora import (
    Corpus,
    Labelled,
    label_sequences,
    librispeech_part,
    ngram_lm,
    three_sets,
    with_g2p,
)
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.lexica import CmuLexiconJob
from ctc_kd.nn.schedules import one_cycle
from ctc_kd.training.training_config import TrainingConfig

NUM_LABELS_WITH_BLANK = len(phonemes().labels)

DEMO_ENCODER = tk.Path(
    str(Path(__file__).parents[1] / "data" / "demo_teacher"), hash_overwrite="ctc_kd/data/demo_teacher"
)

DEMO = Preset(
    name="demo",
    teacher={
        "class": "SpeechEncoderCtc",
        "encoder": DEMO_ENCODER,
        "num_labels_with_blank": NUM_LABELS_WITH_BLANK,
        "dropout": 0.1,
        "train_convolutions": False,
    },
    teacher_training=TrainingConfig(
        learning_rates=tuple(one_cycle(7, peak=1e-3, start=1e-4)),
        partition_epoch=1,
        batch_seconds=25,
        gradient_clip=1.0,
        autocast="bfloat16",
        keep_epochs=(6,),
    ),
    teacher_candidates=(6, 7),
    student={
        "class": "StudentCtc",
        "num_labels_with_blank": NUM_LABELS_WITH_BLANK,
        "log_mel": {"normalise": True},
        "spec_augment": {
            "min_time_masks": 1,
            "frames_per_time_mask": 50,
            "max_time_width": 12,
            "min_frequency_masks": 1,
            "max_frequency_masks": 2,
            "max_frequency_width": 12,
        },
        "frontend": {"channels": [4, 8, 8, 8]},
        "conformer": {
            "num_layers": 4,
            "dim": 128,
            "num_heads": 4,
            "feed_forward_dim": 256,
            "kernel_size": 15,
            "dropout": 0.1,
        },
    },
    student_training=TrainingConfig(
        learning_rates=tuple(one_cycle(12, peak=2e-3, start=2e-4, end_of_decay=2e-4)),
        partition_epoch=1,
        batch_seconds=15,
        gradient_clip=1.0,
        autocast="bfloat16",
    ),
    temperature=2.0,
    normalisation="selected_frames",
    search=SearchConfig(beam_size=128, beam_size_token=12, beam_threshold=14.0),
    scales=Scales(lm=(1.0, 1.5, 2.0, 2.5), prior=(0.0, 0.4, 0.8)),
    requests={"*": {"cpu": 1, "gpu": 0, "mem": 2}},
    notes=(
        "The demo's teacher starts from an encoder that was pre-trained to predict the synthesiser's phonemes frame by "
        "frame. The same synthesiser speaks this corpus, but train, dev and test have other voices and sentences. The "
        "paper's encoder was pre-trained without any labels.",
        "“Without transcripts” means that the student never reads a transcript; its teacher was fine-tuned with them.",
    ),
)

DEMO_FOR_HOURS = replace(
    DEMO,
    baseline_training=replace(
        DEMO.student_training,
        learning_rates=tuple(rate / 2 for rate in DEMO.student_training.learning_rates for _ in range(3)),
    ),
    notes=(
        "The baseline has 3 times the updates of the other rows, at half of their learning rates: with fewer, CTC "
        "from random weights may not get beyond saying blank.",
        *DEMO.notes,
    ),
)
"""On real speech, as many updates made CTC learn an hour by heart (docs/findings.md); on the demo it needs them."""


def demo_untranscribed() -> tk.Path:
    """The manifest of the embedded corpus's part without transcripts."""
    speech = SynthesiseDemoCorpusJob().out_corpus
    return ReadLibriSpeechAudioJob(corpus_dir=speech, part=UNTRANSCRIBED).out_cuts


def demo_text() -> tk.Path:
    """The text of the demo's language model."""
    return SynthesiseDemoCorpusJob().out_lm_text


def demo_corpus(preset: Preset, *, pause_factor: float = 1.0) -> Corpus:
    """The embedded corpus, which is synthesised and then read like LibriSpeech.

    :param pause_factor: of all pauses of its three sets, see ``SynthesiseDemoCorpusJob``
    """
    speech = SynthesiseDemoCorpusJob(pause_factor=pause_factor)
    parts = {part: librispeech_part(speech.out_corpus, part) for part in ("train", "dev", "test")}
    spoken = parts["train"].transcripts
    lexicon, g2p_lexicon = _lexica(speech, spoken)
    complete = with_g2p(lexicon, spoken, learn_from=g2p_lexicon, max_iterations=10)
    lm = ngram_lm(speech.out_lm_text)
    name = "demo" if pause_factor == 1 else f"demo-pauses{pause_factor:g}"
    return three_sets(preset, name, parts, lexicon=lexicon, complete_lexicon=complete, lm=lm)


def demo_hours(preset: Preset, hours: float) -> Labelled:
    """More speech by the speakers of the part without transcripts, with labels that tell what these would be worth.

    Its sentences are not those of train, dev and test.
    """
    speech = SynthesiseDemoCorpusJob()
    more = SynthesiseDemoCorpusJob(minutes={**MINUTES, UNTRANSCRIBED: 60.0 * hours}, transcribe_all=True)
    cuts, transcripts = librispeech_part(more.out_corpus, UNTRANSCRIBED)
    lexicon, g2p_lexicon = _lexica(speech, librispeech_part(speech.out_corpus, "train").transcripts)
    complete = with_g2p(lexicon, transcripts, learn_from=g2p_lexicon, max_iterations=10)
    return Labelled(cuts, label_sequences(preset, complete, {"train": transcripts})["train"])


def _lexica(speech: SynthesiseDemoCorpusJob, spoken: tk.Path) -> tuple[tk.Path, tk.Path]:
    """The lexicon of the search, which lacks some words of ``spoken``, and a larger one without them for G2P."""
    withheld = {"words": [speech.out_lm_text, spoken], "withhold": 0.02, "withhold_from": spoken}
    return CmuLexiconJob(**withheld).out_lexicon, CmuLexiconJob(**withheld, extra_words=1500).out_lexicon
