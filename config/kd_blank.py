"""Tables 1 and 2 and Figure 1 of arXiv 2506.01503 on TED-LIUM v2 and LibriSpeech: `sis manager config/kd_blank.py`.

It shows that a few blank frames near each label are enough to distil from, without a CTC loss and without transcripts.
It is meant for a cluster: each training takes a GPU for a day or more. Arguments choose corpora, methods and seeds:

    sis manager "config.kd_blank.py(['tedlium2'])"
    sis manager "config.kd_blank.py(['librispeech-other'], ['teacher', 'baseline', 'symmetric'], [42, 43, 44])"
    sis manager config.kd_blank.paper    # as the text of the paper describes it; py is what its published code ran
"""

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.librispeech import librispeech_clean, librispeech_other
from ctc_kd.experiments.paper_presets import PAPER, PUBLISHED
from ctc_kd.experiments.rows import PRIOR, TABLE_1, TABLE_2, of_methods, with_seeds
from ctc_kd.experiments.tedlium2 import tedlium2

CORPORA = {"tedlium2": tedlium2, "librispeech-other": librispeech_other, "librispeech-clean": librispeech_clean}
IN_THE_PAPER = ("tedlium2", "librispeech-other")


def py(corpora=IN_THE_PAPER, methods=None, seeds=(None,), *, presets=PUBLISHED, name="kd_blank"):
    if unknown := set(corpora) - set(CORPORA):
        raise ValueError(f"there is no corpus {', '.join(sorted(unknown))}; the corpora are {', '.join(CORPORA)}")
    rows = with_seeds(of_methods([*TABLE_1, *TABLE_2, *PRIOR], methods), seeds)
    for corpus in corpora:
        preset = presets[corpus]
        blank_kd(CORPORA[corpus](preset), preset, rows, name=name, reference=corpus)


def paper(corpora=IN_THE_PAPER, methods=None, seeds=(None,)):
    py(corpora, methods, seeds, presets=PAPER, name="kd_blank_paper")
