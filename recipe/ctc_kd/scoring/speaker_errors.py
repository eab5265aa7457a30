"""Errors of rows by seed and speaker: what tests over seeds and speakers start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.scoring.score import check_utterances, units_of

if TYPE_CHECKING:
    import numpy as np


class SpeakerErrors(NamedTuple):
    """
    :param errors: row -> ``[seeds, speakers]``
    :param words: ``[speakers]``, of the references
    :param utterances: their number
    """

    errors: dict[str, np.ndarray]
    words: np.ndarray
    utterances: int


class References:
    """The transcripts of an evaluation set, and who speaks.

    :param inventory, unit: as in :class:`ctc_kd.scoring.score.ScoreJob`
    """

    def __init__(self, transcripts: tk.Path, cuts: tk.Path, *, inventory: tk.Path | None, unit: str):
        self.path = transcripts.get_path()
        self._inventory = inventory and inventory.get_path()
        self._unit = unit
        self._texts = self._read(self.path)
        self._speakers = self._speakers_of(cuts.get_path())

    def errors_of(self, hypotheses: Mapping[str, Sequence[tk.Path]]) -> SpeakerErrors:
        """
        :param hypotheses: row -> transcripts, one file for each seed
        :raises ValueError: a speaker has no words
        """
        import numpy as np

        names = sorted(set(self._speakers))
        index = np.array([names.index(speaker) for speaker in self._speakers])
        words = np.bincount(index, weights=[len(units_of(text, self._unit)) for text in self._texts.values()])
        if silent := [name for name, number in zip(names, words, strict=True) if not number]:
            raise ValueError(f"{self.path}: no words of {', '.join(silent)} to compare with")
        errors = {
            row: np.array([np.bincount(index, weights=self._errors(path.get_path())) for path in paths])
            for row, paths in hypotheses.items()
        }
        return SpeakerErrors(errors, words, len(self._texts))

    def _read(self, path: str) -> dict[str, str]:
        from ctc_kd.corpus.transcripts import read_normalised

        return read_normalised(path, self._inventory)

    def _speakers_of(self, cuts: str) -> list[str]:
        """The speaker of each utterance."""
        from ctc_kd.corpus.problems import refuse

        found = {cut.id: cut.speaker for cut in read_cuts(cuts)}
        problems = [f"{utterance}: no speaker" for utterance in self._texts if not found.get(utterance)]
        refuse(problems, where=cuts, remedy=f"Expected cuts of all utterances of {self.path}.")
        return [found[utterance] for utterance in self._texts]

    def _errors(self, path: str) -> list[int]:
        """Errors of each utterance."""
        from ctc_kd.scoring.alignment import align, count

        hypotheses = self._read(path)
        check_utterances(self._texts, hypotheses, names=(self.path, path))
        return [
            count(align(units_of(text, self._unit), units_of(hypotheses[utterance], self._unit))).errors
            for utterance, text in self._texts.items()
        ]
