"""Which pseudo labels to keep (K2D section 3.2): loops, phrases, and how far a second model's answer is away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ctc_kd.pseudo_labels.phrases import Phrases
from ctc_kd.pseudo_labels.pieces import Piece
from ctc_kd.pseudo_labels.repetition import LoopRule
from ctc_kd.scoring.units import comparable

METRICS = ("mer", "per", "composite")


class Distance(NamedTuple):
    """How far the labels of a piece are from what the validator says of it.

    :param mer: error rate in Mandarin characters and English words; None if the validator says phonemes
    :param per: error rate in phonemes
    :param validator: what it says
    :param phonemes: whether these are phonemes of a CTC model, which do not loop
    """

    mer: float | None
    per: float
    validator: str
    phonemes: bool = False


@dataclass(frozen=True)
class Rule:
    """
    :param loops: drop texts that loop
    :param phrases: drop texts that say what Whisper writes into silence
    :param metric: one of :data:`METRICS`, for pieces that a validator has heard
    :param alpha: keep pieces up to this distance
    :param most_faults: drop the whole source if a larger share of its time is dropped; None keeps sources
    """

    loops: LoopRule | None = None
    phrases: Phrases | None = None
    metric: str | None = None
    alpha: float = 0.4
    most_faults: float | None = None

    def __post_init__(self):
        if self.metric is not None and self.metric not in METRICS:
            raise ValueError(f"metric is {self.metric!r}, expected one of {', '.join(METRICS)}")
        if self.metric == "composite" and self.loops is None:
            raise ValueError("the composite distance looks for loops: give a LoopRule")
        if not self.alpha >= 0 or (self.most_faults is not None and not 0 <= self.most_faults < 1):
            raise ValueError(
                f"alpha {self.alpha} and most_faults {self.most_faults}: expected 0 or more, and a share below 1"
            )

    def distance(self, text: str, found: Distance) -> float:
        """The distance by :attr:`metric`.

        The composite one is 1 if the teacher loops. Else it is 0 if the validator does, which then has no say. Else it
        is the phoneme error rate, at most 1.

        :raises ValueError: the metric is ``"mer"``, but the validator says phonemes
        """
        if self.metric == "composite":
            trusted = found.phonemes or not self.loops.loops(found.validator)
            return max(float(self.loops.loops(text)), min(float(trusted), found.per))
        value = found.mer if self.metric == "mer" else found.per
        if value is None:
            raise ValueError('the metric "mer" needs a validator that says words; this one says phonemes: use "per"')
        return value


class Decision(NamedTuple):
    """
    :param reason: why the piece is dropped; None if it is kept
    :param distance: by the rule's metric, if it has one
    """

    reason: str | None
    distance: float | None = None


def decide(pieces: Sequence[Piece], rule: Rule, distances: Mapping[str, Distance]) -> list[Decision]:
    """
    :param distances: by piece; needed if the rule has a metric
    :raises KeyError: a piece has no distance
    """
    decisions = [_of_piece(piece.text, rule, distances[piece.id] if rule.metric else None) for piece in pieces]
    if rule.most_faults is None:
        return decisions
    seconds, faults = defaultdict(float), defaultdict(float)
    for piece, decision in zip(pieces, decisions, strict=True):
        seconds[piece.source] += piece.seconds
        faults[piece.source] += piece.seconds if decision.reason else 0.0
    dropped = {source for source in seconds if faults[source] > rule.most_faults * seconds[source]}
    return [
        decision._replace(reason=decision.reason or "source") if piece.source in dropped else decision
        for piece, decision in zip(pieces, decisions, strict=True)
    ]


def _of_piece(text: str, rule: Rule, found: Distance | None) -> Decision:
    distance = None if found is None else rule.distance(text, found)
    if not comparable(text):
        return Decision("empty", distance)
    if rule.loops is not None and rule.loops.loops(text):
        return Decision("loop", distance)
    if rule.phrases is not None and rule.phrases.found_in(text):
        return Decision("phrase", distance)
    return Decision("distance" if distance is not None and distance > rule.alpha else None, distance)
