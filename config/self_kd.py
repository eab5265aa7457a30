"""Self-distillation for CTC (arXiv 2406.07909): the lower layers learn from all of them, frame by frame.

It shows whether the students of self-KD beat those of layer pruning, intermediate CTC, Guide-CTC and softmax KD, and by
controls whether this is alignment or regularisation: docs/self_kd.md. On the embedded corpus, on two cores:

    sis manager -r config.self_kd.demo                        # or `make demo-self-kd`: ten trainings
    sis manager -r "config.self_kd.demo_full((42, 43, 44))"   # every row at depth 2, two also at 1 and 3; three seeds
    sis manager -r config.self_kd.demo_from_scratch           # our student from random weights: self-KD hurts

The paper's encoder on characters: 100 hours of LibriSpeech, five hours, or a folder in LibriSpeech's layout.

    sis manager config/self_kd.py
    sis manager "config.self_kd.mini('microsoft/wavlm-base', (42, 43, 44))"
    sis manager -r "config.self_kd.folder('/data/LibriSpeech/train-clean-5', '/data/whisper', '/data/text')"

`conformer` trains our student on the phonemes of Mini LibriSpeech instead:

    sis manager config.self_kd.conformer
"""

from config.mini_librispeech import local, text_files
from ctc_kd.experiments.corpora import folder_and_part
from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.labels import characters_of, for_other_labels, with_labels
from ctc_kd.experiments.mini_librispeech import held_out, librispeech_100, mini_librispeech
from ctc_kd.experiments.mini_presets import mini as mini_preset
from ctc_kd.experiments.mini_presets import mini_on_cpu
from ctc_kd.experiments.self_kd import self_kd
from ctc_kd.experiments.self_kd_rows import ALL, FEW, PRUNED, SELF_KD
from ctc_kd.training.training_config import TrainingConfig

HUBERT = "facebook/hubert-base-ls960"
ONE_SEED = (TrainingConfig.seed,)
NO_LAYER_DROP = {"layerdrop": 0.0}


def py(encoder=HUBERT, layer=8, seeds=ONE_SEED):
    """:param layer: number of the encoder's layers that the student has"""
    preset = mini_preset(local(encoder))
    with_characters(preset, librispeech_100(preset), {layer: ALL}, seeds)


def mini(encoder=HUBERT, seeds=ONE_SEED, layers=(4, 6, 8)):
    preset = mini_preset(local(encoder))
    with_characters(preset, mini_librispeech(preset), dict.fromkeys(layers, ALL), seeds)


def folder(part, encoder, text=None, layer=4, seeds=ONE_SEED, speakers=4):
    """:param speakers: how many are held out for dev, and how many for test"""
    corpus_dir, part = folder_and_part(part)
    preset = mini_on_cpu(local(encoder))
    corpus = held_out(preset, part, corpus_dir, part, speakers=speakers, texts=text_files(text))
    with_characters(preset, corpus, {layer: FEW}, seeds)


def conformer(seeds=ONE_SEED, layers=(2, 4, 6)):
    preset = mini_preset(HUBERT)
    self_kd(mini_librispeech(preset), preset, dict.fromkeys(layers, ALL), name="self_kd", seeds=seeds)


def demo(seeds=ONE_SEED):
    of_encoder(DEMO, demo_corpus(DEMO), {2: FEW}, seeds)


def demo_full(seeds=ONE_SEED):
    depths = {1: [PRUNED, SELF_KD], 2: ALL, 3: [PRUNED, SELF_KD]}
    of_encoder(DEMO, demo_corpus(DEMO), depths, seeds, name="self_kd_full")


def demo_from_scratch(seeds=ONE_SEED):
    self_kd(demo_corpus(DEMO), DEMO, {2: FEW}, name="self_kd_from_scratch", seeds=seeds)


def with_characters(preset, phonemes, depths, seeds):
    """Characters instead of phonemes, as in the paper."""
    labels = characters_of(phonemes.transcripts["train"], case="upper")
    of_encoder(for_other_labels(preset), with_labels(preset, phonemes, labels), depths, seeds, labels=labels)


def of_encoder(preset, corpus, depths, seeds, *, labels=None, name="self_kd"):
    """The preset's pre-trained encoder with two heads."""
    model = {**preset.teacher, "encoder_options": NO_LAYER_DROP}
    training = preset.teacher_training
    self_kd(corpus, preset, depths, name=name, model=model, training=training, labels=labels, seeds=seeds)
