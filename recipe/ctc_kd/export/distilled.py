"""The student of a finished model with the fewest errors, as a folder that transcribes anywhere."""

from __future__ import annotations

import math

from sisyphus import Job, Task, tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.export.model import export_model
from ctc_kd.export.student import Candidate
from ctc_kd.report import names
from ctc_kd.report.record import value_of


class Measured(Candidate):
    """
    :param errors: by which it is chosen [%]; None where they are undefined
    :param lm_scale, prior_scale: that dev chose for it
    """

    errors: tk.Variable
    lm_scale: tk.Variable | float
    prior_scale: tk.Variable | float


class ExportDistilledJob(Job):
    """Writes the folder of the candidate with the fewest errors, see :mod:`ctc_kd.recognition.folder`.

    The folder also has the files that other programs read, see :mod:`ctc_kd.recognition.clients`.

    :param candidates: name of the student -> what is exported of it; in a tie the first is the best
    :param measure: what the errors are, for the model card
    :param corpus: what the students learnt from, for the model card
    :param inventory: what the outputs stand for
    :param lexicon, lm, search: as in :class:`ctc_kd.decoding.search_job.SearchJob`
    :param teacher: its name, for the model card
    """

    def __init__(
        self,
        *,
        candidates: dict[str, Measured],
        measure: str,
        corpus: str,
        inventory: tk.Path,
        lexicon: tk.Path | None,
        lm: tk.Path | None,
        search: SearchConfig,
        teacher: str,
    ):
        self.candidates = candidates
        self.measure = measure
        self.corpus = corpus
        self.inventory = inventory
        self.lexicon = lexicon
        self.lm = lm
        self.search = search
        self.teacher = teacher
        self.out_student = self.output_path("student", directory=True)
        self.rqmt = {"cpu": 1, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.export.card import Card
        from ctc_kd.recognition.folder import Decoding

        errors = {name: value_of(one["errors"]) for name, one in self.candidates.items()}
        name = min(errors, key=lambda name: math.inf if errors[name] is None else errors[name])
        best = self.candidates[name]
        lm_scale, prior_scale = (value_of(best[scale]) for scale in ("lm_scale", "prior_scale"))
        lexicon, lm = (path and path.get_path() for path in (self.lexicon, self.lm))
        notes = [
            f"{name}. The teacher of all students is {self.teacher}.",
            f"Of {len(errors)} students it has the fewest {self.measure}: {names.wer(errors[name])} %.",
        ]
        export_model(
            self.out_student.get_path(),
            model=best["model"],
            checkpoint=best["checkpoint"],
            inventory=self.inventory,
            decoding=Decoding(
                lm_scale=lm_scale,
                prior_scale=prior_scale,
                search=self.search,
                lexicon=lexicon,
                lm=lm,
                log_prior=best["prior"].get_path() if prior_scale else None,
            ),
            card=Card(corpus=self.corpus, notes=notes, job=self.job_id()),
            facts={"student": name, "teacher": self.teacher, "measure": self.measure, "errors": errors},
        )
        print(f"exported {name}, {names.wer(errors[name])} % {self.measure}: {self.out_student.get_path()}")
