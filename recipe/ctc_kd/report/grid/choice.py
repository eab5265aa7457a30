"""Jobs that choose hyper-parameters on dev, so that test has no say in them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import TypedDict

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.report.record import Record, read_record, read_score


class Candidate(TypedDict):
    """A row that is scored on dev.

    :param record: by RecordJob
    :param posteriors: of test, by PosteriorsJob
    :param prior: by PosteriorsJob
    """

    record: tk.Path
    posteriors: tk.Path
    prior: tk.Path


class TestedCandidate(TypedDict):
    """A row that is scored on dev, and searched on test.

    :param record: by RecordJob
    :param hypotheses: of test, by SearchJob
    """

    record: tk.Path
    hypotheses: tk.Path


class ChooseOnDevJob(Job):
    """Chooses the hyper-parameter with the lowest dev WER (the mean over seeds), the smallest one in a tie.

    :param candidates: the rows of one method and one distillation scale
    :param seed: the outputs are those of the chosen row with this seed

    ``out_record, out_posteriors, out_prior``: links to the files of the chosen row; ``out_lm_scale, out_prior_scale``.
    """

    def __init__(self, *, candidates: Sequence[Candidate], seed: int):
        self.candidates = candidates
        self.seed = seed
        self.out_record = self.output_path("record.json")
        self.out_posteriors = self.output_path("posteriors.hdf")
        self.out_prior = self.output_path("log_prior.txt")
        self.out_lm_scale = self.output_var("lm_scale")
        self.out_prior_scale = self.output_var("prior_scale")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        outputs = {"record": self.out_record, "posteriors": self.out_posteriors, "prior": self.out_prior}
        record = link_chosen(self.candidates, self.seed, outputs)
        self.out_lm_scale.set(record.lm_scale)
        self.out_prior_scale.set(record.prior_scale)


class ChooseTestedJob(Job):
    """The same choice among rows that have all been searched on test.

    :param candidates: the rows of one method and one distillation scale
    :param seed: the outputs are those of the chosen row with this seed

    ``out_record, out_hypotheses``: links to the files of the chosen row.
    """

    def __init__(self, *, candidates: Sequence[TestedCandidate], seed: int):
        self.candidates = candidates
        self.seed = seed
        self.out_record = self.output_path("record.json")
        self.out_hypotheses = self.output_path("hypotheses.txt")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        link_chosen(self.candidates, self.seed, {"record": self.out_record, "hypotheses": self.out_hypotheses})


def link_chosen(candidates: Sequence[Mapping[str, tk.Path]], seed: int, outputs: Mapping[str, tk.Path]) -> Record:
    """Links the files of the candidate with the best hyper-parameter and this seed, and returns its record.

    :param outputs: name of a file of candidates -> the link
    """
    records = [read_record(candidate["record"].get_path()) for candidate in candidates]
    parameter = best_parameter(records)
    chosen = [(record.parameter, record.seed) for record in records].index((parameter, seed))
    for name, link in outputs.items():
        if os.path.lexists(link.get_path()):  # left by an attempt that was killed
            os.remove(link.get_path())
        os.symlink(candidates[chosen][name].get_path(), link.get_path())
    record = records[chosen]
    print(f"chosen: {record.row}, {record.dev.wer:.2f} % {record.dev.rate} on dev")
    return record


def best_parameter(records: Sequence[Record]) -> float | None:
    """The hyper-parameter with the lowest mean dev WER.

    :raises ValueError: not every hyper-parameter has the same seeds
    """
    from ctc_kd.report.grid.cell import Cell, best_on_dev

    groups: dict[float | None, list[Record]] = {}
    for record in records:
        groups.setdefault(record.parameter, []).append(record)
    seeds = {parameter: sorted(record.seed for record in group) for parameter, group in groups.items()}
    if len(set(map(tuple, seeds.values()))) > 1:
        raise ValueError(f"the candidates differ in their seeds, which makes the choice unfair: {seeds}")
    return best_on_dev([Cell.of(group) for group in groups.values()]).parameter


class AddTestScoreJob(Job):
    """Adds the score on test to a row's record.

    :param record: by RecordJob, with dev only
    :param counts: by ScoreJob on test
    """

    def __init__(self, *, record: tk.Path, counts: tk.Path):
        self.record = record
        self.counts = counts
        self.score_job = counts.creator.job_id()
        self.out_record = self.output_path("record.json")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 0.2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        record = read_record(self.record.get_path())
        job_ids = {**record.job_ids, "score test": self.score_job}
        record = dataclasses.replace(record, test=read_score(self.counts), job_ids=job_ids)
        write_json(self.out_record.get_path(), record.to_json())
        print(f"{record.row}: {record.dev.wer:.2f} % {record.dev.rate} on dev, {record.test.wer:.2f} % on test")
