"""The rows of self-distillation (arXiv 2406.07909): the paper's baselines, masks, schedules, and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ctc_kd.training.criteria import criterion_class, needs_of

CTC = {"kd_scale": 0.0}


@dataclass(frozen=True)
class Variant:
    """One row of the table, but for its depth and seed.

    :param name: as the table shows it
    :param criterion: literal, see ``ctc_kd.training.criteria``
    :param paper: the paper's WER [%] on LibriSpeech test-clean; its encoder, depth and training set are not known to us
    """

    name: str
    criterion: dict[str, Any] = field(default_factory=CTC.copy)
    paper: float | None = None

    @property
    def two_heads(self) -> bool:
        return criterion_class(self.criterion).two_heads

    @property
    def has_teacher(self) -> bool:
        return needs_of(self.criterion).teacher_logits is not None


def line(knee: float) -> dict[str, float]:
    return {"clipped_line": knee}


PAPERS_LINE = line(0.3)


def self_distilled(name: str, *, alpha: float | dict = PAPERS_LINE, paper: float | None = None, **settings) -> Variant:
    return Variant(name, {"class": "SelfDistillationLoss", "alpha": alpha, **settings}, paper)


def masked(name: str, rule: str, **parameters: float) -> Variant:
    return self_distilled(name, selection={"rule": rule, "parameters": parameters})


PRUNED = Variant("Layer pruning")
SELF_KD = self_distilled("Self-KD", paper=13.4)
BASELINES = [
    PRUNED,
    Variant("Intermediate CTC", {"class": "IntermediateCtcLoss", "alpha": PAPERS_LINE}),
    Variant("Guide-CTC", {"class": "GuidedCtcLoss", "kd_scale": 0.5}, paper=18.5),
    Variant("Softmax KD", {"kd_scale": 0.5, "temperature": 1.0}, paper=20.7),
]
MASKS = [
    masked("Self-KD, eliminate", "eliminate"),
    masked("Self-KD, symmetric 1", "symmetric", n=1),
    masked("Self-KD, threshold 0.9", "threshold", alpha=0.9),
]
SCHEDULES = [
    *(self_distilled(f"Self-KD, t = {knee:g}", alpha=line(knee)) for knee in (0.0, 0.1, 0.5)),
    self_distilled("Self-KD, constant 0.5", alpha=0.5),
]
CONTROLS = [
    *(self_distilled(f"Self-KD, shifted by {shift:+d}", teacher_shift=shift) for shift in (-2, -1, 1, 2)),
    self_distilled("Self-KD, other utterance", other_utterance=True),
    self_distilled("Self-KD, independent dropout", independent_dropout=True),
]
FEW = [*BASELINES, SELF_KD, MASKS[0], CONTROLS[2], CONTROLS[4]]
"""What the paper compares, one mask, and the two controls that say most."""

ALL = [*BASELINES, SELF_KD, *MASKS, *SCHEDULES, *CONTROLS]


def against(depths: dict[int, Sequence[Variant]]) -> dict[str, list[str]]:
    """Every student is compared with layer pruning and with self-KD of its depth, each pair once."""
    found = {}
    for layer, variants in depths.items():
        for variant in variants:
            others = {PRUNED.name: [], SELF_KD.name: [PRUNED]}.get(variant.name, [PRUNED, SELF_KD])
            if compared := [f"{other.name}, {layer}" for other in others if other in variants]:
                found[f"{variant.name}, {layer}"] = compared
    return found
