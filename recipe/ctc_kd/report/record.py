"""The record of one scored row: everything a table needs to know about it, as one small JSON file."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import read_json, write_json
from ctc_kd.methods import method_of
from ctc_kd.recognition.cost import Cost
from ctc_kd.scoring.score import ERROR_RATES


@dataclasses.dataclass(frozen=True)
class Score:
    """Errors on one evaluation set; ``wer`` in percent of ``words``, which are characters if ``unit`` says so."""

    wer: float
    substitutions: int
    deletions: int
    insertions: int
    words: int
    utterances: int
    unit: str = "words"

    @property
    def rate(self) -> str:
        """What ``wer`` is called."""
        return ERROR_RATES[self.unit]


@dataclasses.dataclass(frozen=True)
class Record:
    """One row: what was trained, how it was decoded, what came out.

    :param row: name of the row, unique in its experiment, e.g. ``"symmetric-n2-l1"``
    :param method: a name of ``ctc_kd.methods.METHODS``; ``"all"`` is plain KD on every frame
    :param parameter: the hyper-parameter of the selection rule; None if it has none
    :param weight: distillation scale lambda; None for teacher and baseline
    :param normalisation: of the KD loss, see ``ctc_kd.nn.losses.kd_loss``
    :param published: ``{"dev", "test", "parameter"}`` of the paper's row on the same corpus; None if it has none
    :param num_parameters: size of the model, frozen parameters included
    :param test: None if dev chose another hyper-parameter, so that test was not searched
    :param job_ids: what the job did -> its id
    :param uses_transcripts: whether training of this model read transcripts
    :param cost: of recognition with the exported model; None where that has not been measured
    """

    corpus: str
    preset: str
    row: str
    method: str
    parameter: float | None
    weight: float | None
    temperature: float | None
    normalisation: str | None
    seed: int | None
    lm_scale: float
    prior_scale: float
    dev: Score
    test: Score | None
    published: dict | None
    training_seconds: float | None
    epochs: int | None
    num_parameters: int | None
    job_ids: dict[str, str]
    uses_transcripts: bool
    cost: Cost | None = None

    def __post_init__(self):
        try:
            method_of(self.method)
        except ValueError as error:
            raise ValueError(f"row {self.row}: {error}") from error

    def to_json(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict) -> Record:
        parts = {"dev": Score(**data["dev"]), "test": data["test"] and Score(**data["test"])}
        parts["cost"] = data.get("cost") and Cost.from_json(data["cost"])
        return cls(**{**data, **parts})


def read_record(path: str | os.PathLike) -> Record:
    return Record.from_json(read_json(path))


def value_of(variable: Any) -> Any:
    """The value of a finished Variable; a plain value is returned as it is."""
    return variable.get() if isinstance(variable, tk.Variable) else variable


class RecordJob(Job):
    """Writes the :class:`Record` of one row.

    :param row: the fields of the record known beforehand: ``corpus, preset, row, method, uses_transcripts`` and, as far
        as they apply, ``parameter, weight, temperature, normalisation, seed, published``; each may be a Variable
    :param scores: ``{"dev": ..., "test": ...}``, the counts (JSON) of the two ScoreJobs, or of dev only
    :param lm_scale: best on dev
    :param prior_scale: best on dev
    :param curves: learning curves of the training (JSON), for the number of epochs and, if entries have ``"seconds"``,
        the training time
    :param num_parameters: size of the model
    :param job_ids: further jobs to name in the record; scoring, tuning and training are found from the inputs
    """

    def __init__(
        self,
        *,
        row: dict[str, tk.Variable | Any],
        scores: dict[str, tk.Path],
        lm_scale: tk.Variable | float,
        prior_scale: tk.Variable | float,
        curves: tk.Path | None = None,
        num_parameters: tk.Variable | None = None,
        job_ids: dict[str, str] | None = None,
    ):
        self.row = row
        self.scores = scores
        self.lm_scale = lm_scale
        self.prior_scale = prior_scale
        self.curves = curves
        self.num_parameters = num_parameters
        makers = {"training": curves, "scales": lm_scale, **{f"score {name}": path for name, path in scores.items()}}
        found = {kind: path.creator.job_id() for kind, path in makers.items() if getattr(path, "creator", None)}
        self.job_ids = {**found, **(job_ids or {})}
        self.out_record = self.output_path("record.json")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        record = Record(**self._fields())
        write_json(self.out_record.get_path(), record.to_json())
        on_test = f"{record.test.wer:.2f} %" if record.test else "not scored"
        print(f"{record.row}: {record.dev.wer:.2f} % {record.dev.rate} on dev, {on_test} on test")

    def _fields(self) -> dict[str, Any]:
        optional = dict.fromkeys(["parameter", "weight", "temperature", "normalisation", "seed", "published", "test"])
        seconds, epochs = _training(self.curves)
        return {
            **optional,
            "training_seconds": seconds,
            "epochs": epochs,
            "num_parameters": value_of(self.num_parameters),
            **{name: value_of(value) for name, value in self.row.items()},
            **{name: read_score(path) for name, path in self.scores.items()},
            "lm_scale": value_of(self.lm_scale),
            "prior_scale": value_of(self.prior_scale),
            "job_ids": self.job_ids,
        }


def read_score(counts: tk.Path) -> Score:
    """The counts of a ScoreJob without the fields that a record does not keep."""
    data = read_json(counts.get_path())
    return Score(**{field.name: data[field.name] for field in dataclasses.fields(Score) if field.name in data})


def _training(curves: tk.Path | None) -> tuple[float | None, int | None]:
    """Training time in seconds and number of epochs; None for what is unknown."""
    if curves is None:
        return None, None
    entries = read_json(curves.get_path())
    seconds = [entry.get("seconds") for entry in entries]
    return None if None in seconds else sum(seconds), max(entry["epoch"] for entry in entries)
