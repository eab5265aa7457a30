"""The significance of the differences of a table, by paired tests over the speakers of the evaluation set and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.scoring.score import check_unit

if TYPE_CHECKING:
    import numpy as np


class SignificanceJob(Job):
    """Compares rows of a table by their difference in WER.

    The WER of a row with several seeds is the mean over its seeds. Rows with equally many are paired by seed.

    :param references: transcripts of the set
    :param cuts: manifest of the set, with the speakers
    :param hypotheses: row -> transcripts, one file for each seed, in the same order of seeds
    :param against: row -> the rows it is compared with
    :param inventory, unit: as in :class:`ctc_kd.scoring.score.ScoreJob`; ``words`` below are these units
    :param margin: in WER points: rows that differ by less count as equally good; None to test no equivalence
    :param contrasts: name -> row -> factor: weighted sums of WERs to test, such as ``{"a": 1, "b": -1, "c": -1, "d":
        1}``, by how much more a differs from b than c from d. Their rows have equally many seeds

    ``out_significance``: JSON: ``samples, speakers, utterances, words``; ``exact``: True with few speakers, whose p is
    exact and whose intervals are too narrow; ``wer``: row -> percent; ``intervals``: row -> the 95 % interval of its
    WER; ``comparisons``: a list of ``row, against, difference`` (WER points, negative if ``row`` is better), ``low,
    high`` (95 % interval), ``p``, and ``holm``, which is p corrected for the number of comparisons; rows with the same
    errors are none. See :mod:`ctc_kd.scoring.speaker_tests`. All of these are about speakers only.

    Two rows with equally many seeds, two or more, have ``seeds`` in addition: ``differences``, one for each seed, their
    ``spread`` (sample standard deviation), and ``low, high, p, holm`` over seeds and speakers, see
    :mod:`ctc_kd.scoring.seed_tests`. With a margin there is ``equivalence``: ``margin``, and ``p, holm`` of a larger
    difference; it covers seeds where there are several. ``contrasts`` is a list with ``contrast``, its name, and its
    ``factors`` instead of ``row, against``; ``p`` and the interval are those over seeds and speakers, or over speakers
    for one seed.
    """

    __sis_hash_exclude__ = {"inventory": None, "unit": "words", "margin": None, "contrasts": None}

    def __init__(
        self,
        *,
        references: tk.Path,
        cuts: tk.Path,
        hypotheses: dict[str, Sequence[tk.Path]],
        against: dict[str, Sequence[str]],
        inventory: tk.Path | None = None,
        unit: str = "words",
        margin: float | None = None,
        contrasts: dict[str, dict[str, float]] | None = None,
    ):
        check_unit(unit)
        mentioned = [row for pair in against.items() for row in (pair[0], *pair[1])]
        for name, factors in (contrasts or {}).items():
            mentioned += factors
            seeds = {row: len(hypotheses[row]) for row in factors if row in hypotheses}
            if len(set(seeds.values())) > 1:
                raise ValueError(f"contrast {name}: its rows have unlike numbers of seeds: {seeds}")
        if unknown := sorted(set(mentioned) - set(hypotheses)):
            raise ValueError(f"no hypotheses of {', '.join(unknown)}; expected only {', '.join(hypotheses)}")
        self.references = references
        self.cuts = cuts
        self.hypotheses = hypotheses
        self.against = against
        self.inventory = inventory
        self.unit = unit
        self.margin = margin
        self.contrasts = contrasts
        self.out_significance = self.output_path("significance.json")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.scoring.speaker_errors import References
        from ctc_kd.scoring.speaker_tests import FEW_SPEAKERS, SAMPLES, draws, interval

        references = References(self.references, self.cuts, inventory=self.inventory, unit=self.unit)
        by_seed, words, utterances = references.errors_of(self.hypotheses)
        errors = {row: found.mean(axis=0) for row, found in by_seed.items()}
        samples = draws(len(words))
        comparisons = self._compared(by_seed, words, samples)
        result = {
            "samples": SAMPLES,
            "speakers": len(words),
            "exact": len(words) < FEW_SPEAKERS,
            "utterances": utterances,
            "words": int(words.sum()),
            "wer": {row: 100 * row_errors.sum() / words.sum() for row, row_errors in errors.items()},
            "intervals": {row: interval(row_errors, words, samples) for row, row_errors in errors.items()},
            "comparisons": comparisons,
        }
        if self.contrasts is not None:
            result["contrasts"] = self._contrasted(by_seed, words)
        write_json(self.out_significance.get_path(), result)
        print(f"{len(comparisons)} comparisons over {len(words)} speakers")
        if result["exact"]:
            print(f"warning: with fewer than {FEW_SPEAKERS} speakers the intervals are too narrow; p is exact")

    def _compared(self, errors: Mapping[str, np.ndarray], words: np.ndarray, samples: np.ndarray) -> list[dict]:
        """
        :param errors: row -> ``[seeds, speakers]``
        :param words: of each speaker, in the same order
        """
        from ctc_kd.scoring.seed_tests import equivalence_p, estimate, over_seeds
        from ctc_kd.scoring.speaker_tests import interval, sign_flip_p

        compared, tested = [], []
        for row, other in ((row, other) for row, others in self.against.items() for other in others):
            surplus = errors[row].mean(axis=0) - errors[other].mean(axis=0)
            difference = float(100 * surplus.sum() / words.sum())
            low, high = interval(surplus, words, samples)
            found = {"difference": difference, "low": low, "high": high, "p": sign_flip_p(surplus)}
            paired = errors[row] - errors[other] if len(errors[row]) == len(errors[other]) else surplus[None]
            if len(paired) > 1:
                found["seeds"] = over_seeds(paired, words)
            if self.margin is not None:
                p = equivalence_p(estimate(paired, words), self.margin)
                found["equivalence"] = {"margin": self.margin, "p": p}
            compared.append({"row": row, "against": other, **found})
            if paired.any():
                tested.append(compared[-1])
            else:  # a row beside itself, as where dev has chosen it, is no test among the others
                _correct_each([compared[-1]])
        _correct_each(tested)
        return compared

    def _contrasted(self, errors: Mapping[str, np.ndarray], words: np.ndarray) -> list[dict]:
        """:param errors, words: as in :meth:`_compared`"""
        from ctc_kd.scoring.seed_tests import over_seeds
        from ctc_kd.scoring.speaker_tests import correct

        tested = []
        for name, factors in self.contrasts.items():
            surplus = sum(factor * errors[row] for row, factor in factors.items())
            difference = float(100 * surplus.mean(axis=0).sum() / words.sum())
            found = {"contrast": name, "factors": factors, "difference": difference}
            tested.append({**found, **over_seeds(surplus, words)})
        correct(tested)
        return tested


def _correct_each(compared: list[dict]):
    """Gives each kind of test of some comparisons its ``holm``."""
    from ctc_kd.scoring.speaker_tests import correct

    correct(compared)
    for test in ("seeds", "equivalence"):
        correct([found[test] for found in compared if test in found])
