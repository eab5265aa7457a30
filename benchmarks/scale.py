"""Computes the tables of docs/scale.md: GPU hours, wall time, storage and files of corpora of any size.

    python benchmarks/scale.py [--student 10000]

The work follows from config/kd_blank.py and its presets, storage from the formats of the stores. ``--student`` is the
speed on which all GPU hours rest, in hours of audio for an hour of one GPU: no GPU has been measured yet, 10,000 is the
bar of training_speed.py. The teacher's speeds follow from it: every model is taken to have as many operations a second.
How long it takes to open so many utterances is measured by `many_utterances.py`.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for config/

from ctc_kd.corpus.known_counts import KNOWN_COUNTS, Counts
from ctc_kd.experiments.paper_presets import PUBLISHED
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.rows import PRIOR, TABLE_1, TABLE_2
from ctc_kd.frames import FRAME_SHIFT_S
from ctc_kd.training.dump import SHARD_SIZE

STUDENT_SPEED = 10_000
GPUS = (1, 8, 64)
GPUS_OF_A_TRAINING = 8  # of one node, see docs/cluster.md
UNTRANSCRIBED_H = 60_000
PASSES = (1, 10)  # of a student over the untranscribed hours

SEARCH_RTF = 0.0115  # measured once, on one core of an AMD EPYC: beam 1024, 150,000 words, 4-gram, 757 s of audio
FLAC_BYTES_PER_H = 65e6  # 236 utterances of train-clean-5: 53.6 MB, 0.822 h
FILES_PER_JOB = 9  # the demo's 241 finished jobs, links included, the synthesised recordings not
FP16, FP32 = 2, 4
TEACHER_FRAMES_PER_S = 50


# work ----------------------------------------------------------------------------------------------------------------


@cache
def parameters() -> tuple[int, int]:
    """Of the student and of HuBERT large."""
    import torch
    from grid_cost import HUBERT_LARGE

    from ctc_kd.nn.config import StudentConfig, TeacherConfig
    from ctc_kd.nn.student import StudentCtc
    from ctc_kd.nn.teacher import SpeechEncoderCtc

    student = StudentCtc(StudentConfig(79))
    with torch.device("meta"):  # has shapes, but no memory
        teacher = SpeechEncoderCtc(TeacherConfig(HUBERT_LARGE, 79))
    return tuple(sum(one.numel() for one in model.parameters()) for model in (student, teacher))


@dataclass(frozen=True)
class Speeds:
    """Hours of audio for an hour of one GPU; forward and backward cost three times as much as forward alone."""

    student: float

    @property
    def student_forward(self) -> float:
        return 3 * self.student

    @property
    def teacher_forward(self) -> float:
        student, teacher = parameters()
        return self.student_forward * (student / FRAME_SHIFT_S) / (teacher * TEACHER_FRAMES_PER_S)

    @property
    def teacher(self) -> float:
        return self.teacher_forward / 3


@dataclass(frozen=True)
class Work:
    """Hours of audio that models hear; of the students and their posteriors, of each row."""

    rows: int
    teacher: float
    dump: float
    student: float
    posteriors: float

    def gpu_hours(self, speeds: Speeds) -> dict[str, float]:
        return {
            "teacher": self.teacher / speeds.teacher,
            "dump": self.dump / speeds.teacher_forward,
            "students": self.rows * self.student / speeds.student,
            "posteriors": self.rows * self.posteriors / speeds.student_forward
            + self.posteriors / speeds.teacher_forward,
        }


@dataclass(frozen=True)
class Corpus:
    name: str
    preset: Preset
    train: Counts
    dev_h: float
    others_h: float

    @property
    def speeds(self) -> float:
        """How much longer the students' audio is than the corpus."""
        return sum(self.preset.speed_factors)

    @property
    def pairs(self) -> int:
        return len(self.preset.scales.lm) * len(self.preset.scales.prior)

    @property
    def classes(self) -> int:
        return self.preset.student["num_labels_with_blank"]

    def work(self) -> Work:
        teacher, student = self.preset.teacher_training, self.preset.student_training
        return Work(
            rows=len(STUDENTS),
            teacher=self.train.hours * teacher.num_epochs / teacher.partition_epoch,
            dump=self.train.hours * self.speeds + self.dev_h,
            student=self.train.hours * self.speeds * student.num_epochs / student.partition_epoch,
            posteriors=self.train.hours + self.dev_h + self.others_h,
        )


STUDENTS = [row for row in [*TABLE_1, *TABLE_2, *PRIOR] if row.method != "teacher"]


def hours(corpus: str, *parts: str) -> float:
    return sum(KNOWN_COUNTS[corpus][part].hours for part in parts)


CORPORA = (
    Corpus(
        "TED-LIUM v2",
        PUBLISHED["tedlium2"],
        KNOWN_COUNTS["tedlium2"]["train"],
        dev_h=hours("tedlium2", "dev"),
        others_h=hours("tedlium2", "test"),
    ),
    Corpus(
        "LibriSpeech",
        PUBLISHED["librispeech-other"],
        KNOWN_COUNTS["librispeech"]["train-other-960"],
        dev_h=hours("librispeech", "dev-other"),
        others_h=hours("librispeech", "dev-clean", "test-clean", "test-other"),
    ),
)


def untranscribed(passes: int) -> Work:
    """A student on more audio, of a teacher that exists."""
    return Work(rows=1, teacher=0.0, dump=UNTRANSCRIBED_H, student=passes * UNTRANSCRIBED_H, posteriors=0.0)


def wall_hours(works: list[Work], speeds: Speeds, gpus: int) -> float:
    """From the start of the first teacher's training to the end of the last row's posteriors.

    A training has up to 8 GPUs if there are more GPUs than trainings, and takes proportionally less time; every other
    job has one. Rows start when their dump is complete, the longest first.
    """
    free, rows = [0.0] * gpus, []
    for_teacher, for_row = (
        max(1, min(GPUS_OF_A_TRAINING, gpus // number)) for number in (len(works), sum(work.rows for work in works))
    )
    for work in works:
        spent = work.gpu_hours(speeds)
        trained = occupy(free, for_teacher, ready=0.0, length=spent["teacher"] / for_teacher)
        dumped = occupy(free, 1, ready=trained, length=spent["dump"])
        rows += [(dumped, (spent["students"] / for_row + spent["posteriors"]) / work.rows)] * work.rows
    rows.sort(key=lambda row: -row[1])
    return max(occupy(free, for_row, ready=ready, length=length) for ready, length in rows)


def occupy(free: list[float], number: int, *, ready: float, length: float) -> float:
    """Gives a job the GPUs that are free first; returns its end.

    :param free: heap of the times at which GPUs become free
    :param ready: when the job's inputs are there
    """
    held = [heapq.heappop(free) for _ in range(number)]
    end = max(ready, *held) + length
    for _ in held:
        heapq.heappush(free, end)
    return end


# storage -------------------------------------------------------------------------------------------------------------


def logit_bytes(hours: float, classes: int) -> float:
    return hours * 3600 / FRAME_SHIFT_S * classes * FP16


def storage(corpus: Corpus) -> dict[str, float]:
    """Bytes. A training keeps its last checkpoint with two numbers of the optimizer for each parameter; the published
    code's teacher is the mean of four more, which makes another."""
    student, teacher = parameters()
    audio = corpus.train.hours + corpus.dev_h + corpus.others_h
    return {
        "corpus as downloaded, and unpacked": 2 * audio * FLAC_BYTES_PER_H,
        "archives of all speeds": (corpus.train.hours * (corpus.speeds + more_speeds(corpus)) + audio)
        * FLAC_BYTES_PER_H,
        "teacher logits": logit_bytes(corpus.work().dump, corpus.classes),
        "posteriors": (len(STUDENTS) + 1) * logit_bytes(corpus.dev_h + corpus.others_h, corpus.classes),
        "checkpoints": FP32 * (3 * student * len(STUDENTS) + (3 + 4 + 1) * teacher),
    }


def more_speeds(corpus: Corpus) -> float:
    """The archive at speed 1 exists only once: the teacher and the students read the same."""
    return -1.0 if 1.0 in corpus.preset.speed_factors else 0.0


def shards(utterances: int) -> int:
    return ceil(utterances / SHARD_SIZE)


@cache
def jobs() -> int:
    """In the graph of config/kd_blank.py."""
    import config.kd_blank
    from sisyphus import tk

    before = len(tk.sis_graph.jobs())
    config.kd_blank.py()
    return len(tk.sis_graph.jobs()) - before


# tables --------------------------------------------------------------------------------------------------------------


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def work_table() -> str:
    heads = ["hours of audio", *(corpus.name for corpus in CORPORA)]
    works = [corpus.work() for corpus in CORPORA]
    rows = [
        ["training set", *(f"{corpus.train.hours:,.0f}" for corpus in CORPORA)],
        ["the teacher hears in its training", *(f"{work.teacher:,.0f}" for work in works)],
        ["dump, all speeds", *(f"{work.dump:,.0f}" for work in works)],
        ["a student hears in its training", *(f"{work.student:,.0f}" for work in works)],
        ["students", *(f"{work.rows}" for work in works)],
        [
            "core-hours to tune the scales of all rows",
            *(f"{(len(STUDENTS) + 1) * one.pairs * one.dev_h * SEARCH_RTF:,.0f}" for one in CORPORA),
        ],
    ]
    return table(heads, rows)


def gpu_table(speeds: Speeds) -> str:
    heads = ["GPU hours", "teacher", "dump", "students", "posteriors", "sum"]
    rows = []
    for name, work in named_works().items():
        spent = work.gpu_hours(speeds)
        rows.append([name, *(f"{value:,.1f}" for value in (*spent.values(), sum(spent.values())))])
    return table(heads, rows)


def named_works() -> dict[str, Work]:
    ours = {corpus.name: corpus.work() for corpus in CORPORA}
    more = {f"{UNTRANSCRIBED_H:,} h, one student, {name(passes)}": untranscribed(passes) for passes in PASSES}
    return {**ours, **more}


def name(passes: int) -> str:
    return "one pass" if passes == 1 else f"{passes} passes"


def wall_table(speeds: Speeds) -> str:
    works = [corpus.work() for corpus in CORPORA]
    cases = {"both corpora, all rows": works}
    cases |= {one: [work] for one, work in named_works().items() if work.teacher == 0}
    rows = [[case, *(f"{wall_hours(parts, speeds, gpus) / 24:,.1f}" for gpus in GPUS)] for case, parts in cases.items()]
    return table(["days", *(f"{gpus} GPU{'s' * (gpus > 1)}" for gpus in GPUS)], rows)


def storage_table() -> str:
    stores = [storage(corpus) for corpus in CORPORA]
    more = {
        "corpus as downloaded, and unpacked": UNTRANSCRIBED_H * FLAC_BYTES_PER_H,
        "archives of all speeds": UNTRANSCRIBED_H * FLAC_BYTES_PER_H,
        "teacher logits": logit_bytes(UNTRANSCRIBED_H, 79),
        "posteriors": 0.0,
        "checkpoints": 3 * FP32 * parameters()[0],
    }
    stores.append(more)
    rows = [[what, *(f"{store[what] / 1e9:,.0f}" for store in stores)] for what in more]
    rows.append(["sum", *(f"{sum(store.values()) / 1e9:,.0f}" for store in stores)])
    return table(["GB", *(corpus.name for corpus in CORPORA), f"{UNTRANSCRIBED_H:,} h"], rows)


def utterances() -> list[int]:
    """At all speeds; the untranscribed pieces are as long as LibriSpeech's utterances."""
    counts = [corpus.train.utterances * len(corpus.preset.speed_factors) for corpus in CORPORA]
    mean_h = CORPORA[1].train.hours / CORPORA[1].train.utterances
    return [*counts, round(UNTRANSCRIBED_H / mean_h)]


def files_table() -> str:
    counts = utterances()
    rows = [
        ["utterances that a student hears", *(f"{count:,}" for count in counts)],
        ["shards of teacher logits", *(f"{shards(count):,}" for count in counts)],
    ]
    return table(["files", *(corpus.name for corpus in CORPORA), f"{UNTRANSCRIBED_H:,} h"], rows)


def computed(student_speed: float = STUDENT_SPEED) -> list[str]:
    """All tables."""
    speeds = Speeds(student_speed)
    facts = (
        f"{len(STUDENTS)} students and a teacher for each corpus: {jobs():,} jobs, {FILES_PER_JOB * jobs():,} files. "
        f"Speeds, in hours of audio for an hour of one GPU: student {speeds.student:,.0f}, its forward pass "
        f"{speeds.student_forward:,.0f}, teacher {speeds.teacher:,.0f}, its forward pass {speeds.teacher_forward:,.0f}."
    )
    return [facts, work_table(), gpu_table(speeds), wall_table(speeds), storage_table(), files_table()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--student", type=float, default=STUDENT_SPEED, help="hours of audio for an hour of one GPU")
    options = parser.parse_args()
    print("\n\n".join(computed(options.student)))


if __name__ == "__main__":
    main()
