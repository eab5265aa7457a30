"""Records made by hand: small grids with and without holes; and reports as texts."""

from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.files import write_json
from ctc_kd.report.record import Record, Score
from ctc_kd.scoring.speaker_tests import holm


@pytest.fixture
def make_record():
    """``make_record("symmetric", 2, 1.0, dev=15.2, test=16.1)``; every other field has a plain value."""

    def make(method, parameter=None, weight=None, *, dev, test, **fields):
        kind = f"-p{parameter:g}" if parameter is not None else ""
        values = {
            "corpus": "demo",
            "preset": "published",
            "row": method + kind + (f"-l{weight}" if weight is not None else ""),
            "method": method,
            "parameter": parameter,
            "weight": weight,
            "temperature": None if weight is None else 2.0,
            "normalisation": None if weight is None else "selected_frames",
            "seed": 42,
            "lm_scale": 1.8,
            "prior_scale": 0.3,
            "dev": score(dev),
            "test": None if test is None else score(test),
            "published": None,
            "training_seconds": 75.0,
            "epochs": 20,
            "num_parameters": 900_000,
            "job_ids": {"training": "ctc_kd/training/train/TrainJob.AbCdEf123456"},
            "uses_transcripts": weight != 1.0,
        }
        return Record(**{**values, **fields})

    return make


def score(wer):
    """1,000 words, so that a WER of one decimal is a whole number of errors."""
    errors = round(10 * wer)
    return Score(wer, errors - 2, 1, 1, words=1000, utterances=100)


@pytest.fixture
def partial_grid(make_record):
    """The small demo's rows: most cells of the tables are missing."""
    return [
        make_record("teacher", dev=8.0, test=9.0),
        make_record("baseline", dev=20.0, test=22.0),
        make_record("all", None, 0.25, dev=19.0, test=21.0),
        make_record("all", None, 0.9, dev=17.0, test=18.5),
        make_record("all", None, 1.0, dev=17.5, test=18.0),
        make_record("eliminate", None, 1.0, dev=18.0, test=19.0),
        make_record("symmetric", 1, 0.25, dev=18.5, test=20.0),
        make_record("symmetric", 1, 0.9, dev=17.2, test=18.2),
        make_record("symmetric", 1, 1.0, dev=16.4, test=16.0),
        make_record("symmetric", 2, 1.0, dev=16.0, test=17.6),
        make_record("trim", None, 1.0, dev=17.8, test=18.8),
        make_record("threshold", 0.9, 1.0, dev=17.6, test=18.6),
        make_record("random", 0.5, 1.0, dev=18.2, test=19.2),
    ]


@pytest.fixture
def significance():
    """``significance({"baseline": 22.0, "all-l0.9": 18.5}, [("all-l0.9", "baseline", 0.003)])``: the file of the job;
    the triples are row, the one it is compared with, and p. ``paired``: by place in that list, p over seeds."""

    def make(wer, compared, speakers=20, paired=None):
        comparisons = [
            {"row": row, "against": other, "difference": d, "low": d - 0.5, "high": d + 0.5, "p": p, "holm": corrected}
            for (row, other, p), corrected in zip(compared, holm([p for _, _, p in compared]), strict=True)
            for d in [wer[row] - wer[other]]
        ]
        for place, p in (paired or {}).items():
            d = comparisons[place]["difference"]
            tested = {"low": d - 1.0, "high": d + 1.0, "p": p, "holm": min(1.0, p * len(paired))}
            comparisons[place]["seeds"] = {"differences": [d - 0.25, d + 0.25], "spread": 0.35, **tested}
        sizes = {"samples": 10_000, "speakers": speakers, "exact": speakers < 20, "utterances": 100, "words": 1000}
        return {**sizes, "wer": wer, "comparisons": comparisons}

    return make


@pytest.fixture
def store(tmp_path):
    """``store(content)``: a new file of JSON."""

    def write(content):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        write_json(str(path), content)
        return tk.Path(str(path))

    return write


@pytest.fixture
def run_report(run_here):
    """``run_report(job)(name)``: the text of a file of the report."""

    def run(job):
        report = Path(run_here(job).out_report.get_path())
        return lambda name: (report / name).read_text(encoding="utf-8")

    return run
