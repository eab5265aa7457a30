"""The significance of the differences of a table, by paired tests over the speakers of the evaluation set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.files import write_json
from ctc_kd.scoring.score import check_unit

if TYPE_CHECKING:
    import numpy as np


class SignificanceJob(Job):
    """Compares rows of a table by their difference in WER.

    The WER of a row with several seeds is the mean over its seeds.

    :param references: transcripts of the set
    :param cuts: manifest of the set, with the speakers
    :param hypotheses: row -> transcripts, one file for each seed
    :param against: row -> the rows it is compared with
    :param inventory, unit: as in :class:`ctc_kd.scoring.score.ScoreJob`; ``words`` below are these units

    ``out_significance``: JSON: ``samples, speakers, utterances, words``; ``exact``: True with few speakers, whose p is
    exact and whose intervals are too narrow; ``wer``: row -> percent; ``intervals``: row -> the 95 % interval of its
    WER; ``comparisons``: a list of ``row, against, difference`` (WER points, negative if ``row`` is better), ``low,
    high`` (95 % interval), ``p``, and ``holm``, which is p corrected for the number of comparisons. See
    :mod:`ctc_kd.scoring.speaker_tests`.
    """

    __sis_hash_exclude__ = {"inventory": None, "unit": "words"}

    def __init__(
        self,
        *,
        references: tk.Path,
        cuts: tk.Path,
        hypotheses: dict[str, Sequence[tk.Path]],
        against: dict[str, Sequence[str]],
        inventory: tk.Path | None = None,
        unit: str = "words",
    ):
        check_unit(unit)
        mentioned = [row for pair in against.items() for row in (pair[0], *pair[1])]
        if unknown := sorted(set(mentioned) - set(hypotheses)):
            raise ValueError(f"no hypotheses of {', '.join(unknown)}; expected only {', '.join(hypotheses)}")
        self.references = references
        self.cuts = cuts
        self.hypotheses = hypotheses
        self.against = against
        self.inventory = inventory
        self.unit = unit
        self.out_significance = self.output_path("significance.json")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import numpy as np

        from ctc_kd.scoring.score import units_of
        from ctc_kd.scoring.speaker_tests import FEW_SPEAKERS, SAMPLES, draws, interval

        references = self._texts(self.references)
        speakers = self._speakers(references)
        names = sorted(set(speakers.values()))
        index = np.array([names.index(speaker) for speaker in speakers.values()])
        words = np.bincount(index, weights=[len(units_of(text, self.unit)) for text in references.values()])
        if silent := [name for name, number in zip(names, words, strict=True) if not number]:
            raise ValueError(f"{self.references.get_path()}: no words of {', '.join(silent)} to compare with")
        errors = {row: np.bincount(index, weights=self._errors(row, references)) for row in self.hypotheses}
        samples = draws(len(words))
        comparisons = self._compared(errors, words, samples)
        result = {
            "samples": SAMPLES,
            "speakers": len(names),
            "exact": len(names) < FEW_SPEAKERS,
            "utterances": len(references),
            "words": int(words.sum()),
            "wer": {row: 100 * row_errors.sum() / words.sum() for row, row_errors in errors.items()},
            "intervals": {row: interval(row_errors, words, samples) for row, row_errors in errors.items()},
            "comparisons": comparisons,
        }
        write_json(self.out_significance.get_path(), result)
        print(f"{len(comparisons)} comparisons over {len(names)} speakers")
        if result["exact"]:
            print(f"warning: with fewer than {FEW_SPEAKERS} speakers the intervals are too narrow; p is exact")

    def _compared(self, errors: Mapping[str, np.ndarray], words: np.ndarray, samples: np.ndarray) -> list[dict]:
        """:param errors, words: of each speaker, in the same order"""
        from ctc_kd.scoring.speaker_tests import holm, interval, sign_flip_p

        compared = []
        for row, other in ((row, other) for row, others in self.against.items() for other in others):
            surplus = errors[row] - errors[other]
            difference = float(100 * surplus.sum() / words.sum())
            low, high = interval(surplus, words, samples)
            found = {"difference": difference, "low": low, "high": high, "p": sign_flip_p(surplus)}
            compared.append({"row": row, "against": other, **found})
        corrected = holm([found["p"] for found in compared])
        return [{**found, "holm": p} for found, p in zip(compared, corrected, strict=True)]

    def _speakers(self, references: Mapping[str, str]) -> dict[str, str]:
        """Utterance -> speaker, in the order of the references."""
        from ctc_kd.corpus.problems import refuse

        path = self.cuts.get_path()
        found = {cut.id: cut.speaker for cut in read_cuts(path)}
        problems = [f"{utterance}: no speaker" for utterance in references if not found.get(utterance)]
        refuse(problems, where=path, remedy=f"Expected cuts of all utterances of {self.references.get_path()}.")
        return {utterance: found[utterance] for utterance in references}

    def _errors(self, row: str, references: Mapping[str, str]) -> list[float]:
        """Errors of each utterance, the mean over seeds."""
        from ctc_kd.scoring.alignment import align, count
        from ctc_kd.scoring.score import check_utterances, units_of

        sums = [0.0] * len(references)
        for path in self.hypotheses[row]:
            hypotheses = self._texts(path)
            check_utterances(references, hypotheses, names=(self.references.get_path(), path.get_path()))
            for number, (utterance, text) in enumerate(references.items()):
                pairs = align(units_of(text, self.unit), units_of(hypotheses[utterance], self.unit))
                sums[number] += count(pairs).errors
        return [total / len(self.hypotheses[row]) for total in sums]

    def _texts(self, path: tk.Path) -> dict[str, str]:
        from ctc_kd.corpus.transcripts import read_normalised

        return read_normalised(path.get_path(), self.inventory and self.inventory.get_path())
