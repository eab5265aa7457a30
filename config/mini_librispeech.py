"""The paper's rows on five hours of real speech: `sis manager -r config/mini_librispeech.py`, hours on one GPU.

Downloads Mini LibriSpeech, LibriSpeech's test-clean, lexicon and 4-gram, unless `settings.py` says where they are. The
teacher is HuBERT base; any speech encoder takes its place: `config.mini_librispeech.py('microsoft/wavlm-base')`.

A folder on disk in LibriSpeech's layout, a pre-trained encoder and a text for the language model, on a CPU:

    sis manager -r "config.mini_librispeech.folder('/data/LibriSpeech/train-clean-5', '/data/whisper', '/data/text')"
"""

import os

from sisyphus import tk

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.mini_librispeech import held_out, mini_librispeech
from ctc_kd.experiments.mini_presets import mini, mini_on_cpu
from ctc_kd.experiments.rows import BASELINE, TABLE_1, TABLE_2, TEACHER, Row


def py(encoder="facebook/hubert-base-ls960"):
    preset = mini(encoder)
    blank_kd(mini_librispeech(preset), preset, [*TABLE_1, *TABLE_2], name="mini", reference="librispeech-other")


def folder(part, encoder, text, speakers=4):
    """:param speakers: held out for dev, and as many for test
    :param text: one sentence a line
    """
    corpus_dir, part = os.path.split(part)
    preset = mini_on_cpu(named(encoder))
    corpus = held_out(preset, part, named(corpus_dir), part, speakers=speakers, text=named(text))
    rows = [TEACHER, BASELINE, Row("all", 0.9), Row("all", 1.0), Row("eliminate", 1.0), Row("symmetric", 1.0, 2)]
    blank_kd(corpus, preset, rows, name="mini", reference="librispeech-other")


def named(path):
    """A local path, known by its name wherever it lies."""
    return tk.Path(path, hash_overwrite=os.path.basename(path))
