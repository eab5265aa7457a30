"""Pseudo labels for untranscribed recordings, filtered as in K2D (arXiv 2407.10603): docs/k2d.md.

    sis manager -r "config.k2d.py('/data/podcasts')"

A Whisper teacher transcribes long recordings. Validators hear the same chunks, and what they do not confirm is dropped.
The report compares the rules; `output/k2d/<name>/kept/` has what each keeps, as corpora for `config/distil.py`.
Whisper students learn from what the rules in `distilled` keep, and are compared on recordings with texts and times:

    sis manager -r "config.k2d.py('/data/podcasts', 'openai/whisper-base', ['tiny'], language='en',
                                  distilled=['All', 'composite, tiny'], test=('/data/talks', '/data/talks.tsv'))"

Read speech that is joined to long recordings with noise shows what a filter finds, since its transcripts are known:

    sis manager -r "config.k2d.read_speech('/data/LibriSpeech/train-clean-5', 'openai/whisper-base', ['tiny'])"
    sis manager -r config.k2d.demo    # or `make demo-k2d`: from random weights, on the embedded corpus
"""

import math

from ctc_kd.corpus.join import Noise
from ctc_kd.experiments.corpora import folder_and_part, last_name
from ctc_kd.experiments.demo_k2d import demo_k2d
from ctc_kd.experiments.k2d import ALL, Recordings, joined
from ctc_kd.experiments.k2d_models import own_whisper, validators_of
from ctc_kd.experiments.k2d_students import k2d_with_students
from ctc_kd.experiments.mini_librispeech import by_speaker
from ctc_kd.experiments.sources import own_part
from ctc_kd.nn.config import SpecAugmentConfig
from ctc_kd.nn.schedules import one_cycle
from ctc_kd.training.training_config import TrainingConfig

TRAINING = TrainingConfig(
    learning_rates=tuple(one_cycle(8, peak=2e-4, start=5e-5, end_of_decay=2e-5)),
    partition_epoch=1,
    batch_seconds=60,
    gradient_clip=1.0,
    autocast="bfloat16",
)
"""Of Whisper students, for up to some hours of audio."""


def py(
    audio,
    teacher="large-v2",
    validators=("base",),
    ctc_validators=(),
    students=(),
    language=None,
    references=None,
    alpha=0.4,
    convert=False,
    distilled=(),
    test=None,
    spec_augment=False,
):
    """
    :param audio: long recordings without transcripts: a folder, Kaldi folder, table or lhotse manifest
    :param teacher, validators: Whisper models: folders of transformers or CTranslate2, names of the hub, or sizes
    :param ctc_validators: CTC models as of config/distil.py, or "hama"
    :param students: folders of exported students that validate
    :param language: such as "en"; None to detect it; ["zh", "en"] for speech that mixes them
    :param references: the same audio with texts and times, to see what the filter gets right
    :param alpha: chunks up to this distance are kept
    :param convert: make 16 kHz mono of other audio, which is refused without
    :param distilled: rules of the report, each of which has a student of what it keeps
    :param test: audio and references to compare the students on
    :param spec_augment: whether students hear masked features
    """
    recordings = recordings_of(audio, references, language, convert=convert)
    k2d_with_students(
        recordings,
        own_whisper(teacher),
        validators_of(recordings, validators, ctc=ctc_validators, students=students),
        name=last_name(audio),
        alpha=alpha,
        distilled=distilled,
        test=test and recordings_of(*test, language, convert=convert),
        training=TRAINING,
        masks=SpecAugmentConfig() if spec_augment else None,
    )


def read_speech(
    part, teacher, validators=(), ctc_validators=(), distilled=(ALL,), speakers=4, minutes=2.0, snr_db=(-12.0, 3.0)
):
    """
    :param part: of a corpus in LibriSpeech's layout
    :param speakers: how many are held out to compare the students on, without noise
    :param minutes: of a recording
    :param snr_db: of the noise over half of the other utterances
    """
    parts = by_speaker(*folder_and_part(part), speakers=speakers)
    noise = Noise(share=0.5, snr_db=snr_db)
    recordings = joined(parts["train"], minutes=minutes, language="en", noise=noise)
    k2d_with_students(
        recordings,
        own_whisper(teacher),
        validators_of(recordings, validators, ctc=ctc_validators),
        name=last_name(part),
        distilled=distilled,
        test=joined(parts["test"], minutes=minutes, language="en"),
        training=TRAINING,
    )


def recordings_of(audio, references, language, *, convert):
    cuts = own_part(audio, convert=convert, max_seconds=math.inf).cuts
    return Recordings(cuts, references=references and own_part(references, convert=convert), language=language)


def demo():
    demo_k2d()
