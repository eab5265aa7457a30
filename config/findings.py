"""Open questions of arXiv 2506.01503, one function each; docs/findings.md has the answers.

    sis manager -r config.findings.prior            # is selection a blank prior?
    sis manager -r config.findings.normalisation    # is plain KD only weighed too little?

On the demo corpus, with three seeds: 45 students and 36, hours on two cores. Arguments choose weights and seeds:

    sis manager -r "config.findings.prior(weights=[1.0], seeds=[42])"
"""

from dataclasses import replace

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.row_analysis import analysed
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row, with_seeds

SEEDS = (42, 43, 44)


def py():
    prior()
    normalisation()


def prior(weights=(0.25, 1.0), seeds=SEEDS):
    """Every row under decoders without and with a prior: what selection gains, a prior scale may gain, too."""
    methods = [("all", None), ("eliminate", None), *(("symmetric", n) for n in (1, 2, 3, 4)), ("soft", None)]
    rows = [TEACHER, BASELINE, *(Row(method, weight, value) for weight in weights for method, value in methods)]
    analysed(blank_kd(demo_corpus(DEMO), DEMO, with_seeds(rows, seeds), name="findings/prior"))


def normalisation(weights=(0.25, 0.9), seeds=SEEDS):
    """Plain KD and symmetric selection, normalised as published or all alike, at temperatures 1 and 2."""
    rows = [TEACHER, *(Row(method, weight, n) for weight in weights for method, n in (("all", None), ("symmetric", 1)))]
    for temperature in (1.0, 2.0):
        for plain in ("batch_times_labels", "selected_frames"):
            preset = replace(DEMO, temperature=temperature, plain_normalisation=plain)
            corpus, name = demo_corpus(preset), f"findings/normalisation/{plain}-T{temperature:g}"
            analysed(blank_kd(corpus, preset, with_seeds(rows, seeds), name=name))
