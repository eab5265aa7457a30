"""The paper's grid in small, on the embedded corpus: `sis manager -r config/demo.py`, 12 to 35 minutes on two cores.

It shows that a student distilled from a better teacher beats the same student trained with CTC alone, even if it never
sees a transcript (lambda = 1), and how the choice of frames around blank matters. The best students become folders
that transcribe without this pipeline: `output/demo/demo/students/`. How small and fast they are, beside their teacher,
is in `output/demo/demo/exported/`.
"""

from dataclasses import replace

from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.cost import what_it_bought
from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.export import export
from ctc_kd.experiments.row_analysis import analysed
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row
from ctc_kd.nn.schedules import one_cycle

ROWS = [
    TEACHER,
    BASELINE,
    *(Row("all", weight) for weight in (0.25, 0.9, 1.0)),
    Row("eliminate", 1.0),
    Row("symmetric", 0.25, 1),
    Row("symmetric", 0.9, 1),
    Row("symmetric", 1.0, 1),
    Row("symmetric", 1.0, 2),
    Row("trim", 1.0),
    Row("threshold", 1.0, 0.9),
    Row("random", 1.0, 1.0),
]


def py():
    grid = rows()
    best = export(grid, [row.name for row in ROWS if row != TEACHER], name="best")
    free = export(grid, [row.name for row in ROWS if row.weight == 1], name="best_without_transcripts")
    what_it_bought(grid, {"Best student": best, "Best without transcripts": free})


def rows():
    return blank_kd(demo_corpus(DEMO), DEMO, ROWS, name="demo", reference="tedlium2")


def analysis():
    """When students say what their teacher says, and which is best under four decoders: nothing is trained for it."""
    grid = rows()
    analysed(grid.chain, ROWS, folder=grid.folder)


def longer_baseline():
    """The control: is the baseline only under-trained? It gets twice the updates, and the same peak and end."""
    rates = one_cycle(24, peak=2e-3, start=2e-4, end_of_decay=2e-4)
    training = replace(DEMO.student_training, learning_rates=tuple(rates))
    preset = replace(DEMO, name="demo_longer_baseline", baseline_training=training)
    blank_kd(demo_corpus(preset), preset, [BASELINE], name=preset.name)
