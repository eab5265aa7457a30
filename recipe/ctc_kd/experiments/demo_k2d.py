"""K2D on the embedded corpus, from random weights: a small Whisper, long recordings, and students of what it writes."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.corpus.hold_out import HoldOutJob
from ctc_kd.corpus.join import Noise
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.corpus.synthetic.acoustics import Acoustics
from ctc_kd.corpus.synthetic.demo import UNTRANSCRIBED, SynthesiseDemoCorpusJob
from ctc_kd.experiments.corpora import Corpus, archive, librispeech_part
from ctc_kd.experiments.distil_sizes import SIZES
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.k2d import ALL, Recordings, joined, k2d
from ctc_kd.experiments.k2d_students import ctc_students, whisper_students
from ctc_kd.experiments.labels import Labels, characters_of, references_of
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.row_training import criterion_of
from ctc_kd.experiments.rows import Row
from ctc_kd.frames import TICKS_PER_S
from ctc_kd.lexicon.lexica import CmuLexiconJob
from ctc_kd.lexicon.spell import SpellTranscriptsJob
from ctc_kd.nn.schedules import one_cycle, ramp
from ctc_kd.pseudo_labels.convert import ConvertWhisperJob
from ctc_kd.pseudo_labels.corpus import PiecesCorpusJob
from ctc_kd.pseudo_labels.tokens import TokensJob
from ctc_kd.pseudo_labels.transcribed import TranscribedChunksJob
from ctc_kd.pseudo_labels.whisper import WhisperDecoding
from ctc_kd.training.new_whisper import NewWhisperJob
from ctc_kd.training.train import TrainJob
from ctc_kd.training.train_tokens import FirstWhisper, SaveWhisperJob, TrainWhisperJob, WhisperStudent
from ctc_kd.training.training_config import TrainingConfig

MINUTES = {"train": 48.0, "dev": 2.0, "test": 5.0, UNTRANSCRIBED: 10.0}
CLEAR = Acoustics(
    reverberation_s=(0.05, 0.1), direct_to_reverberant_db=(20.0, 30.0), snr_db=(35.0, 50.0), channel_db=1.0
)
"""Random weights learn little from less than an hour, so the speech is clear; noise comes with the recordings."""

NOISE = Noise(share=0.3, snr_db=(-5.0, 5.0))
MAX_SECONDS = 6.0
"""Of what the model reads and writes at once: a sentence, or two short ones. Real models read 30 s."""

ALPHA = 0.7
"""Chunks up to this distance are kept, instead of the paper's 0.4: models that have learnt little agree less."""

DECODING = WhisperDecoding(beam_size=1, temperatures=(0.0, 0.5, 1.0))
"""A model that has learnt little falls back to other temperatures all the time, so there are few of them."""

ENCODER = {
    "d_model": 128,
    "encoder_layers": 3,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 512,
    "max_source_positions": round(MAX_SECONDS * TICKS_PER_S),
}
SIZE = {
    **ENCODER,
    "decoder_layers": 3,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 512,
    "max_target_positions": 448,
    "dropout": 0.1,
}

FIRST_LETTERS = 26
"""As few pieces of words as there can be: attention is found among single letters, of which each occurs often."""

CTC: Preset = replace(
    SIZES["tiny"],
    name="demo_k2d",
    teacher=SIZES["tiny"].student,
    teacher_training=SIZES["tiny"].student_training.shortened(2 / 3),
    teacher_candidates=(),
)
"""The CTC models: what students of the demo are, here all of them."""

STUDENTS = replace(CTC, student_training=CTC.student_training.shortened(2 / 3))

ENCODER_TRAINING = TrainingConfig(
    learning_rates=tuple(one_cycle(8, peak=2e-3, start=2e-4, end_of_decay=2e-4)),
    partition_epoch=1,
    batch_seconds=25,
    gradient_clip=1.0,
    autocast="bfloat16",
)
EARLY = 10
"""The sub-epoch whose weights validate what those of the last one write."""

WHISPER_TRAINING = TrainingConfig(
    learning_rates=(*ramp(4e-4, 8e-4, 2), *8 * (8e-4,), *ramp(8e-4, 4e-5, 8)),
    partition_epoch=1,
    batch_seconds=16,
    gradient_clip=1.0,
    autocast="bfloat16",
    keep_epochs=(EARLY,),
)
STUDENT_TRAINING = TrainingConfig(
    learning_rates=(5e-4,) * 2 + (1e-4,), partition_epoch=1, batch_seconds=60, autocast="bfloat16"
)
SHOWN = (ALL, "composite, ctc")
"""The rules whose students are trained."""


class DemoSpeech(NamedTuple):
    """
    :param first: transcribed recordings, which the first model learns from
    :param untranscribed, test: recordings; of the former only the report reads transcripts
    :param corpus: the transcribed part, sentence by sentence, for CTC
    :param labels: its characters
    """

    first: Recordings
    untranscribed: Recordings
    test: Recordings
    corpus: Corpus
    labels: Labels
    text: tk.Path


def k2d_speech() -> DemoSpeech:
    speech = SynthesiseDemoCorpusJob(minutes=MINUTES, acoustics=CLEAR, transcribe_all=True)
    parts = {name: librispeech_part(speech.out_corpus, name) for name in MINUTES}
    labels = characters_of(parts["train"].transcripts, speech.out_lm_text, case="upper")
    sets = ("train", "dev", "test")
    corpus = Corpus(
        name="demo",
        audio={name: archive(CTC, parts[name].cuts) for name in sets},
        cuts={name: parts[name].cuts for name in sets},
        transcripts={name: parts[name].transcripts for name in sets},
        labels={},
        lexicon=None,
        lm=None,
        lm_statistics={},
        student_audio=tuple(archive(CTC, parts[name].cuts) for name in ("train", UNTRANSCRIBED)),
        inventory=labels.inventory,
        unit="characters",
    )
    spelled = SpellTranscriptsJob(transcripts=parts["train"].transcripts, **labels.spelling()).out_hdf
    corpus = replace(corpus, labels={"train": spelled, "dev": references_of(corpus, labels, "dev")})
    return DemoSpeech(
        first=joined(parts["train"], minutes=1.0, language="en"),
        untranscribed=joined(parts[UNTRANSCRIBED], minutes=1.0, language="en", noise=NOISE),
        test=joined(parts["test"], minutes=1.0, language="en"),
        corpus=corpus,
        labels=labels,
        text=speech.out_lm_text,
    )


def first_whisper(speech: DemoSpeech, grid: Distillation) -> tuple[tk.Path, tk.Path]:
    """A Whisper that learnt from transcribed recordings, and the same after most of its training.

    Its encoder is that of a student that learns what a CTC model says of every frame, and its decoder does not see all
    that was written: else attention is not found in so little speech.

    :param grid: the CTC model and its logits
    """
    model = NewWhisperJob(texts=[speech.text], size=SIZE, pieces=FIRST_LETTERS).out_model
    encoder = TrainJob(
        model={"class": "SpeechEncoderCtc", "encoder": {"model_type": "whisper", **ENCODER}, "mask_time_prob": 0.0},
        criterion=criterion_of(Row("all", 1.0), grid.preset),
        training=ENCODER_TRAINING,
        audio=grid.student_audio,
        dev_audio=grid.corpus.audio["dev"],
        teacher_logits=grid.teacher_dump.out_logits,
        inventory=grid.corpus.inventory,
    )
    encoder.add_alias("k2d/demo/encoder")
    cuts, transcripts = speech.first.references
    chunks = TranscribedChunksJob(cuts=cuts, transcripts=transcripts, max_seconds=MAX_SECONDS).out_chunks
    split = HoldOutJob(cuts=PiecesCorpusJob(pieces=chunks, cuts=speech.first.cuts).out_cuts)
    tokens = {
        cuts: TokensJob(pieces=chunks, model=model, language="en", cuts=cuts).out_hdf
        for cuts in (split.out_train, split.out_held_out)
    }
    first = FirstWhisper(model, encoder.checkpoint(), masked=0.2)
    training = TrainWhisperJob(
        student=first,
        loss={"ce_scale": 1.0, "kl_scale": 0.0},
        training=WHISPER_TRAINING,
        audio=[OggZipJob(cuts=split.out_train).out_ogg_zip],
        dev_audio=OggZipJob(cuts=split.out_held_out).out_ogg_zip,
        tokens=tokens[split.out_train],
        dev_tokens=tokens[split.out_held_out],
    )
    training.add_alias("k2d/demo/whisper")
    early = SaveWhisperJob(student=first, checkpoint=training.checkpoint(EARLY))
    return training.out_student, early.out_model


def demo_k2d():
    """Registers the whole chain: teacher, pseudo labels, filters, students of Whisper's kind and of CTC."""
    speech = k2d_speech()
    grid = Distillation(speech.corpus, CTC)
    teacher, early = first_whisper(speech, grid)
    validators = {
        "early": {"kind": "whisper", "model": ConvertWhisperJob(model=early).out_model, "language": "en"},
        "ctc": {
            "kind": "trained",
            "model": grid.teacher_posteriors.model,
            "checkpoint": grid.teacher_checkpoint,
            "inventory": speech.labels.inventory,
        },
    }
    kept = k2d(
        speech.untranscribed,
        teacher=ConvertWhisperJob(model=teacher).out_model,
        validators=validators,
        name="demo",
        alpha=ALPHA,
        decoding=DECODING,
        max_seconds=MAX_SECONDS,
        lexicon=CmuLexiconJob().out_lexicon,
        requests=CTC.requests,
    )
    chosen = {rule: kept[rule] for rule in SHOWN}
    whisper_students(
        chosen,
        speech.untranscribed,
        speech.test,
        student=WhisperStudent(teacher),
        training=STUDENT_TRAINING,
        name="demo",
        decoding=DECODING,
        max_seconds=MAX_SECONDS,
        requests=CTC.requests,
    )
    ctc_students(Distillation(speech.corpus, STUDENTS), speech.labels, chosen, name="demo")
