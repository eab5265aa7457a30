"""Every row of Tables 1 and 2 and Figure 1 on the embedded corpus: `sis manager -r config/demo_full.py`."""

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.rows import TABLE_1, TABLE_2


def py():
    blank_kd(demo_corpus(DEMO), DEMO, [*TABLE_1, *TABLE_2], name="demo_full", reference="tedlium2")
