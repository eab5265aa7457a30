"""The demo with other labels than phonemes: `sis manager -r config/demo_labels.py`, after `make demo`.

It shows that teacher, baseline and students learn characters and pieces of words as they learn phonemes. Words are
found through the same lexicon and 4-gram. The report `output/demo_labels/*/without_lexicon` adds label error rates, and
word error rates of the best path and of a 6-gram over labels, from the same posteriors.
"""

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.demo import DEMO, demo_corpus, demo_text
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.label_errors import COLUMNS, label_errors
from ctc_kd.experiments.labels import (
    characters_of,
    for_other_labels,
    pieces_of,
    references_of,
    with_label_lm,
    with_labels,
    without_lm,
)
from ctc_kd.experiments.recognition import error_rates
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row
from ctc_kd.report.students import Column, StudentsReportJob
from ctc_kd.scoring.score import ERROR_RATES

ROWS = [TEACHER, BASELINE, Row("all", 1.0), Row("symmetric", 1.0, 1)]


def py():
    characters()
    pieces()


def characters():
    spoken = demo_corpus(DEMO).transcripts["train"]
    learn(characters_of(spoken, demo_text(), case="upper"))


def pieces(size=120):
    spoken = demo_corpus(DEMO).transcripts["train"]
    learn(pieces_of(spoken, demo_text(), size=size, case="upper"))


def learn(labels):
    preset = for_other_labels(DEMO)
    corpus = with_labels(preset, demo_corpus(DEMO), labels)
    blank_kd(corpus, preset, ROWS, name="demo_labels")
    grid = Distillation(corpus, preset)
    references = references_of(corpus, labels, corpus.test)
    variants = {
        "lexicon": corpus,
        "label lm": with_label_lm(corpus, labels, demo_text()),
        "best path": without_lm(corpus),
    }
    rows = {}
    for row in ROWS:
        one = grid.trained(row)
        rates = {
            decoder: error_rates(variant, preset, one.posteriors, ["test"])["test"]
            for decoder, variant in variants.items()
        }
        rows[row.name] = {**rates, **label_errors(grid, one, corpus.test, references=references)}
    rate = ERROR_RATES[corpus.unit]
    decoders = {
        "lexicon": Column(f"{rate} [%]", "through the lexicon and a 4-gram of words"),
        "label lm": Column(f"{rate}, labels [%]", "with a 6-gram over labels, without lexicon"),
        "best path": Column(f"{rate}, best path [%]", "without any model of the language"),
    }
    report = StudentsReportJob(title=corpus.name, columns={**decoders, **COLUMNS}, rows=rows, teachers=[TEACHER.name])
    outputs = {f"demo_labels/{corpus.name}/without_lexicon": report.out_report}
    register_outputs(outputs, requests=preset.requests)
