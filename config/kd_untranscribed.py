"""Distillation without transcripts (lambda = 1) on audio that has none: `sis manager config/kd_untranscribed.py`.

It asks what the paper leaves open: how far does a student get with more audio than its teacher was fine-tuned on?
Students of a TED-LIUM teacher learn from TED-LIUM, from TED-LIUM and the audio of LibriSpeech, and from the audio of
LibriSpeech alone. Each of the three has its own report.

    sis manager -r config.kd_untranscribed.demo                            # on the embedded corpus, on two cores
    sis manager "config.kd_untranscribed.py('/data/podcasts')"             # on audio files of one's own
"""

from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.corpora import last_name, on_disk, with_untranscribed
from ctc_kd.experiments.demo import DEMO, demo_corpus, demo_untranscribed
from ctc_kd.experiments.librispeech import librispeech_other
from ctc_kd.experiments.paper_presets import PUBLISHED
from ctc_kd.experiments.rows import TEACHER, Row
from ctc_kd.experiments.tedlium2 import tedlium2

ROWS = [TEACHER, Row("all", 1.0), Row("eliminate", 1.0), *(Row("symmetric", 1.0, n) for n in (1, 2, 3))]


def py(folder=None):
    """
    :param folder: folder of 16 kHz mono files to use instead of LibriSpeech; convert other audio first. What is longer
        than 30 seconds is cut into equal pieces, anywhere
    """
    preset, name = PUBLISHED["tedlium2"], "kd_untranscribed"
    if folder:
        cuts = ReadAudioFolderJob(folder=on_disk(folder)).out_cuts
        name += f"/{last_name(folder)}"
    else:
        cuts = librispeech_other(PUBLISHED["librispeech-other"]).cuts["train"]
    compare(preset, tedlium2(preset), cuts, name=name)


def demo():
    compare(DEMO, demo_corpus(DEMO), demo_untranscribed(), name="kd_untranscribed")


def compare(preset, corpus, cuts, *, name):
    for variant in [corpus, *with_untranscribed(preset, corpus, cuts)]:
        blank_kd(variant, preset, ROWS, name=name, reference="tedlium2")
