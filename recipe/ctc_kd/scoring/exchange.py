"""How many hours of one kind are worth an hour of another: where two curves of error rates over hours meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.scoring.score import check_unit

if TYPE_CHECKING:
    import numpy as np

STEPS = 24
"""Hours that are tried between two measured ones."""


class Crossing(NamedTuple):
    """
    :param hours: the fewest at which a curve is as good as its target; None if no measured ones are
    :param low, high: ends of the hours that are not excluded by the 95 % interval of the difference there, and of
        ``hours``. Where these reach beyond what was measured, ``low`` is 0 or ``high`` is None; both are None if all of
        it is excluded
    """

    hours: float | None
    low: float | None
    high: float | None


class ExchangeJob(Job):
    """Finds the hours at which each curve has the error rate of ``reference`` at ``target`` hours.

    Between measured hours, errors are interpolated over the logarithm of hours. Seeds are paired.

    :param references, cuts, inventory, unit: of the evaluation set, as in
        :class:`ctc_kd.scoring.bootstrap.SignificanceJob`
    :param curves: curve -> (hours, transcripts by each seed, in one order of seeds) for each number of hours
    :param reference: a curve
    :param target: hours of it
    :param margin: in points: what differs by less counts as equally good; None to test no equivalence

    ``out_exchange``: JSON: ``reference, target, speakers``; ``curves``: curve -> a list of ``hours``, and the error
    rates in percent of each seed (``rates``); ``crossings``: other curve -> ``hours, low, high`` of :class:`Crossing`.
    With a margin, points of other curves have ``equivalence`` with the target, as in ``SignificanceJob``; the number of
    tests is that of all these points.
    """

    __sis_hash_exclude__ = {"margin": None}

    def __init__(
        self,
        *,
        references: tk.Path,
        cuts: tk.Path,
        curves: dict[str, Sequence[tuple[float, Sequence[tk.Path]]]],
        reference: str,
        target: float,
        inventory: tk.Path | None = None,
        unit: str = "words",
        margin: float | None = None,
    ):
        check_unit(unit)
        if target not in [hours for hours, _ in curves.get(reference, ())]:
            raise ValueError(f"{reference} is not measured at {target} hours: expected one of the measured ones")
        if len({len(paths) for curve in curves.values() for _, paths in curve}) > 1:
            raise ValueError("the curves have unlike numbers of seeds: expected equal ones, which are paired")
        self.references = references
        self.cuts = cuts
        self.curves = curves
        self.reference = reference
        self.target = target
        self.inventory = inventory
        self.unit = unit
        self.margin = margin
        self.out_exchange = self.output_path("exchange.json")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.scoring.speaker_errors import References

        references = References(self.references, self.cuts, inventory=self.inventory, unit=self.unit)
        hypotheses = {f"{label} {hours}": paths for label, curve in self.curves.items() for hours, paths in curve}
        by_row, words, _ = references.errors_of(hypotheses)
        curves = {
            label: [(hours, by_row[f"{label} {hours}"]) for hours, _ in sorted(curve, key=lambda point: point[0])]
            for label, curve in self.curves.items()
        }
        wanted = dict(curves[self.reference])[self.target]
        crossings = {
            label: crossing([(hours, errors - wanted) for hours, errors in curve], words)._asdict()
            for label, curve in curves.items()
            if label != self.reference
        }
        tests = self._equivalences(curves, wanted, words)
        points = {
            label: [
                {"hours": hours, "rates": (100 * errors.sum(axis=1) / words.sum()).tolist()}
                | tests.get((label, hours), {})
                for hours, errors in curve
            ]
            for label, curve in curves.items()
        }
        facts = {"reference": self.reference, "target": self.target, "speakers": len(words)}
        write_json(self.out_exchange.get_path(), {**facts, "curves": points, "crossings": crossings})
        print(f"{len(crossings)} curves beside that of {self.reference}: {crossings}")

    def _equivalences(
        self, curves: Mapping[str, Sequence[tuple[float, np.ndarray]]], wanted: np.ndarray, words: np.ndarray
    ) -> dict[tuple[str, float], dict]:
        """Curve, other than the reference, and hours -> ``equivalence``; empty without a margin.

        :param curves: (hours, errors ``[seeds, speakers]``)
        :param wanted: errors of the target
        """
        if self.margin is None:
            return {}
        from ctc_kd.scoring.seed_tests import equivalence_p, estimate
        from ctc_kd.scoring.speaker_tests import correct

        tests = {
            (label, hours): {"margin": self.margin, "p": equivalence_p(estimate(errors - wanted, words), self.margin)}
            for label, curve in curves.items()
            if label != self.reference
            for hours, errors in curve
        }
        correct(list(tests.values()))
        return {point: {"equivalence": test} for point, test in tests.items()}


def crossing(curve: Sequence[tuple[float, np.ndarray]], words: np.ndarray) -> Crossing:
    """Where a curve meets its target; of 150 simulated ranges with 3 seeds and 24 speakers 140 held the true hours.

    :param curve: (hours, errors beyond those of the target ``[seeds, speakers]``) by ascending hours
    :param words: ``[speakers]``
    """
    from ctc_kd.scoring.seed_tests import hierarchical_draws, hierarchical_interval

    tried = list(interpolated(curve))
    draws = hierarchical_draws(*tried[0][1].shape)
    intervals = [(hours, hierarchical_interval(surplus, words, draws)) for hours, surplus in tried]
    possible = [hours for hours, (low, high) in intervals if low <= 0 <= high]
    first, last = tried[0][0], tried[-1][0]
    hours = first_zero([(hours, float(surplus.sum())) for hours, surplus in curve])
    if hours is not None:
        possible.append(hours)
    elif possible:
        possible.append(last)  # the hours lie beyond it
    if not possible:
        return Crossing(None, None, None)
    low, high = min(possible), max(possible)
    return Crossing(hours, low if low > first else 0.0, high if high < last else None)


def interpolated(curve: Sequence[tuple[float, np.ndarray]]) -> list[tuple[float, np.ndarray]]:
    """The points of a curve, and :data:`STEPS` - 1 between two of them, linear in the logarithm of hours."""
    found = [curve[0]]
    for (start, before), (end, after) in zip(curve, curve[1:], strict=False):
        for part in (step / STEPS for step in range(1, STEPS)):
            found.append((between(start, end, part), (1 - part) * before + part * after))
        found.append((end, after))
    return found


def first_zero(curve: Sequence[tuple[float, float]]) -> float | None:
    """The fewest hours at which a curve is 0 or less; None if it never is."""
    if curve[0][1] <= 0:
        return curve[0][0]
    for (start, before), (end, after) in zip(curve, curve[1:], strict=False):
        if after <= 0:
            return between(start, end, before / (before - after))
    return None


def between(start: float, end: float, part: float) -> float:
    """Hours at a part of the way, in the logarithm."""
    return start * (end / start) ** part
