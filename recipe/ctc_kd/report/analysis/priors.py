"""Does a method gain what a tuned prior gains, too? The interaction of method and prior, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctc_kd.report import as_good, lines, names
from ctc_kd.report.grid.significance import LEVEL, p_value
from ctc_kd.report.svg import note

HEAD = ["Row and plain KD", "prior 0", "tuned prior", "change", "p", "Holm", "as good"]


def key(label: str, decoder: str) -> str:
    """The name of a row under a decoder in ``SignificanceJob``."""
    return f"{label} | {decoder}"


def interaction(row: str, other: str) -> dict[str, float]:
    """The contrast: the difference of two rows at prior scale 0, minus that with the tuned prior."""
    signs = (row, "no prior", 1), (other, "no prior", -1), (row, "tuned", -1), (other, "tuned", 1)
    return {key(label, decoder): sign for label, decoder, sign in signs}


class Priors:
    """
    :param data: ``SignificanceJob.out_significance`` with contrasts of :func:`interaction`, and a margin for the
        comparison of the same two rows with the tuned prior
    """

    def __init__(self, data: Mapping[str, Any]):
        tuned = {compared["row"]: compared["equivalence"] for compared in data["comparisons"]}
        self._lines = [_cells(contrast, data["wer"], tuned) for contrast in data["contrasts"]]
        seeds = min(len(contrast["differences"]) for contrast in data["contrasts"])
        margin = next(iter(tuned.values()))["margin"]
        several = "seeds (± standard deviation) and " if seeds > 1 else ""
        self.note = (
            "Differences on test in points, with the n-gram: at prior scale 0, with the tuned prior, and the change "
            "from the second to the first. If that is below 0, a part of what the row gains on plain KD is what the "
            f"prior gains, too. In brackets is the 95 % interval over {several}{data['speakers']} speakers. Bold means "
            f"that p, corrected for {len(self._lines)} comparisons by Holm, is below {LEVEL}. The last column asks "
            "whether the row is as good as plain KD with the tuned prior. Bold means yes: "
            f"{as_good.meaning(margin)}."
        )

    def markdown(self) -> str:
        return lines.markdown(HEAD, self._lines)

    def html(self) -> str:
        return lines.html(HEAD, self._lines) + note(self.note)


def _cells(
    contrast: Mapping[str, Any], wer: Mapping[str, float], tuned: Mapping[str, Mapping[str, float]]
) -> list[lines.Cell]:
    """The texts of a line, and which are bold: the prior matters by more than chance, or both rows are as good.

    :param tuned: row -> ``equivalence`` with the other one
    """
    row, other, with_prior, other_with_prior = contrast["factors"]
    differences = wer[row] - wer[other], wer[with_prior] - wer[other_with_prior]
    equivalence = tuned[with_prior]
    interval = f"[{names.points(contrast['low'])}, {names.points(contrast['high'])}]"
    change = f"{names.points(contrast['difference'])}{names.spread(contrast['spread'])} {interval}"
    tested = [change, *(p_value(contrast[name]) for name in ("p", "holm"))]
    plain = [contrast["contrast"], *map(names.points, differences)]
    return [
        *lines.plain(*plain),
        *((text, contrast["holm"] < LEVEL) for text in tested),
        (p_value(equivalence["holm"]), as_good.shown(equivalence)),
    ]
