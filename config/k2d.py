"""Pseudo labels for untranscribed recordings, filtered as in K2D (arXiv 2407.10603): docs/k2d.md.

    sis manager -r "config.k2d.py('/data/podcasts')"

A Whisper teacher transcribes long recordings. Validators hear the same chunks, and what they do not confirm is dropped.
The report compares the rules; `output/k2d/<name>/kept/` has what each keeps, as corpora for `config/distil.py`.

    sis manager -r config.k2d.demo    # or `make demo-k2d`: from random weights, with students, on the embedded corpus
"""

import math
import os

from ctc_kd.experiments.corpora import on_disk
from ctc_kd.experiments.demo_k2d import demo_k2d
from ctc_kd.experiments.finished import own_teacher
from ctc_kd.experiments.k2d import Recordings, k2d, own_whisper
from ctc_kd.experiments.sources import own_part


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
    """
    mixed = [] if language is None or isinstance(language, str) else list(language)
    recordings = Recordings(
        own_part(audio, convert=convert, max_seconds=math.inf).cuts,
        references=references and own_part(references, convert=convert),
        language=language,
    )
    heard_by = {
        base(model): {
            "kind": "whisper",
            "model": own_whisper(model, mixed=mixed),
            "language": recordings.decoded_as,
        }
        for model in validators
    }
    heard_by |= {base(model): {"kind": "ctc", "model": own_teacher(model)} for model in ctc_validators}
    heard_by |= {base(folder): {"kind": "student", "folder": on_disk(folder)} for folder in students}
    k2d(recordings, teacher=own_whisper(teacher, mixed=mixed), validators=heard_by, name=base(audio), alpha=alpha)


def base(path):
    return os.path.basename(os.path.normpath(path))


def demo():
    demo_k2d()
