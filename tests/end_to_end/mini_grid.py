"""A config: that of Mini LibriSpeech, which the test puts beside it, with tiny models and a few rows of its tables."""

from config import mini_librispeech as mini
from config.tiny import miniature
from sisyphus import tk

from ctc_kd.experiments import mini_librispeech
from ctc_kd.experiments.mini_presets import mini as preset
from ctc_kd.experiments.rows import TEACHER, Row


def py():
    mini_librispeech.G2P_WORDS = 300
    mini.mini = lambda encoder: miniature(preset(encoder), encoder=encoder)
    mini.TABLES = [TEACHER, Row("symmetric", 1.0, 1)]
    mini.py("encoder")
    mini.blank_kd = data_only
    mini.folder("recordings/train-clean-5", "encoder", "text", speakers=1)


def data_only(corpus, *_, **__):
    """In place of the training of models, which takes longest."""
    tk.register_output("folder/labels.hdf", corpus.labels["train"])
    tk.register_output("folder/perplexity", corpus.lm_statistics["perplexity test"])
