"""A config: that of the paper, which the test puts beside it, with tiny models and a few rows of its tables."""

from config import kd_blank
from config.tiny import ENCODER, miniature

from ctc_kd.experiments.paper_presets import PUBLISHED

ROWS = ("teacher", "baseline", "all-l0.9", "symmetric-n1-l1", "symmetric-n2-l1", "prior-scale0.5-l1")


def py():
    tables = (kd_blank.TABLE_1, kd_blank.TABLE_2, kd_blank.PRIOR)
    kd_blank.TABLE_1, kd_blank.TABLE_2, kd_blank.PRIOR = [
        [row for row in table if row.name in ROWS] for table in tables
    ]
    presets = {corpus: miniature(preset, encoder=ENCODER) for corpus, preset in PUBLISHED.items()}
    kd_blank.py(["tedlium2"], ["teacher", "baseline", "symmetric", "prior"], presets=presets)
    kd_blank.py(["librispeech-other"], ["teacher", "all"], presets=presets)
