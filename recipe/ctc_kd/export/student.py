"""The student that is best on dev, as a folder that transcribes anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from sisyphus import Job, Task, tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.export.model import export_model
from ctc_kd.files import read_json
from ctc_kd.report.grid.cell import fullest
from ctc_kd.report.grid.comparisons import row_key
from ctc_kd.report.record import Record, read_record


class Candidate(TypedDict):
    """A row that may be exported.

    :param model: class and config, see ``training.build.build_model``
    :param checkpoint: its weights
    :param prior: ``out_prior`` of its PosteriorsJob
    """

    model: dict[str, Any]
    checkpoint: tk.Path
    prior: tk.Path


class ExportStudentJob(Job):
    """Writes the folder of the row with the lowest error rate on dev, see :mod:`ctc_kd.recognition.folder`.

    The folder also has the files that other programs read, if it is a ``StudentCtc``: see
    :mod:`ctc_kd.recognition.clients`.

    :param candidates: name of the row -> what is exported of it
    :param records: of the candidates, and of other rows that the model card compares with: teacher and baseline
    :param inventory: what the outputs stand for; None for the phonemes
    :param lexicon, lm, search: as in :class:`ctc_kd.decoding.search_job.SearchJob`
    :param teacher: name of the teacher, for the model card
    :param notes: sentences on data and training for the model card
    :param significance: ``out_significance`` of test, for the interval of the error rate
    """

    def __init__(
        self,
        *,
        candidates: dict[str, Candidate],
        records: Sequence[tk.Path],
        inventory: tk.Path | None,
        lexicon: tk.Path | None,
        lm: tk.Path | None,
        search: SearchConfig,
        teacher: str,
        notes: Sequence[str] = (),
        significance: tk.Path | None = None,
    ):
        if not candidates:
            raise ValueError("there is no row to export; name at least one")
        self.candidates = candidates
        self.records = records
        self.inventory = inventory
        self.lexicon = lexicon
        self.lm = lm
        self.search = search
        self.teacher = teacher
        self.notes = notes
        self.significance = significance
        self.out_student = self.output_path("student", directory=True)
        self.rqmt = {"cpu": 1, "mem": 8, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.export.card import RecordedCard

        records = fullest([read_record(path.get_path()) for path in self.records])
        record = self._best(records)
        candidate = self.candidates[record.row]
        card = RecordedCard(
            corpus=record.corpus,
            record=record,
            others=[other for other in records if other.method in ("teacher", "baseline") and other is not record],
            interval=self._interval(record),
            teacher=self.teacher,
            notes=list(self.notes),
            job=self.job_id(),
        )
        export_model(
            self.out_student.get_path(),
            model=candidate["model"],
            checkpoint=candidate["checkpoint"],
            inventory=self.inventory,
            decoding=self._decoding(record, candidate),
            card=card,
            facts=record.to_json(),
        )
        print(f"exported {record.row}, {record.dev.wer:.2f} % on dev: {self.out_student.get_path()}")

    def _best(self, records: Sequence[Record]) -> Record:
        """The candidate with the lowest error rate on dev; in a tie the first one."""
        found = {record.row: record for record in records}
        if missing := [row for row in self.candidates if row not in found]:
            raise ValueError(f"there is no record of the row {missing[0]}; the records are of {', '.join(found)}")
        return min((found[row] for row in self.candidates), key=lambda record: record.dev.wer)

    def _decoding(self, record: Record, candidate: Candidate):
        from ctc_kd.recognition.folder import Decoding

        lexicon, lm = (path and path.get_path() for path in (self.lexicon, self.lm))
        return Decoding(
            lm_scale=record.lm_scale,
            prior_scale=record.prior_scale,
            search=self.search,
            lexicon=lexicon,
            lm=lm,
            log_prior=candidate["prior"].get_path() if record.prior_scale else None,
        )

    def _interval(self, record: Record) -> tuple[float, float] | None:
        """The 95 % interval of the error rate on test; None if the test of significance has none of this row."""
        data = read_json(self.significance.get_path()) if self.significance else {}
        key = row_key(record.method, record.weight)
        # with several seeds the interval there is that of their mean
        tested = record.test and abs(data.get("wer", {}).get(key, -1) - record.test.wer) < 1e-6
        return data.get("intervals", {}).get(key) if tested else None
