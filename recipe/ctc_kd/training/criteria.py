"""Builds losses from the literals in configs. A graph checks the literals when declared, without torch.

A criterion is ``{"class": a name in CRITERIA, ...its settings}``; without a class it is a ``DistillationLoss``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ctc_kd.methods import SELECTS, check_parameter, check_rule
from ctc_kd.nn.loss_settings import NORMALISATIONS, check_alpha, check_distillation
from ctc_kd.nn.schedules import weight_at
from ctc_kd.training.build import has_two_heads

if TYPE_CHECKING:
    import torch

    from ctc_kd.nn.criterion import Criterion


class Needs(NamedTuple):
    """What a criterion takes from the training, each with the reason that an error gives; None for what it ignores."""

    labels: str | None = None
    teacher_logits: str | None = None
    hypotheses: str | None = None


class CriterionClass(NamedTuple):
    """
    :param module: imported only when a loss is computed
    :param fields: names of the settings. ``"selection"`` is ``{"rule", "parameters"}``, and ``"log_prior"`` a file for
        the rule that needs it; ``"alpha"`` may be a schedule, see :func:`ctc_kd.nn.schedules.weight_at`
    :param needs: takes the settings and raises a ValueError if they make no sense
    :param two_heads: whether the model must have two heads, see ``build.with_two_heads``
    """

    module: str
    fields: tuple[str, ...]
    needs: Callable[[dict[str, Any]], Needs]
    two_heads: bool = False


def check_settings(fields: dict[str, Any]):
    check_distillation(
        kd_scale=fields.get("kd_scale"),
        temperature=fields.get("temperature", 1.0),
        normalisation=fields.get("normalisation", NORMALISATIONS[0]),
    )


def teacher_needs(fields: dict[str, Any]) -> Needs:
    """Of a :class:`ctc_kd.nn.criterion.TeacherLoss`."""
    check_settings(fields)
    scale = fields["kd_scale"]
    if scale == 1 and fields.get("normalisation") == "batch_times_labels":
        raise ValueError("kd_scale 1 reads no labels that batch_times_labels could count: expected selected_frames")
    return Needs(
        labels=f"kd_scale {scale} leaves a weight to the CTC loss" if scale < 1 else None,
        teacher_logits=f"kd_scale {scale} gives a weight to distillation" if scale > 0 else None,
    )


def distillation_needs(fields: dict[str, Any]) -> Needs:
    needs = teacher_needs(fields)
    if needs.teacher_logits:
        check_selection(fields)
    return needs


def delayed_needs(fields: dict[str, Any]) -> Needs:
    check_parameter("delayed", fields.get("d"))
    return teacher_needs(fields)


def inter_needs(fields: dict[str, Any]) -> Needs:
    check_parameter("inter", fields.get("share"))
    return distillation_needs(fields)


def two_head_needs(fields: dict[str, Any]) -> Needs:
    check_alpha(fields.get("alpha"))
    return Needs(labels="both heads have a CTC loss")


def self_distillation_needs(fields: dict[str, Any]) -> Needs:
    check_settings({**fields, "kd_scale": 1.0})
    check_selection(fields)
    if not isinstance(shift := fields.get("teacher_shift", 0), int):
        raise ValueError(f"teacher_shift {shift!r}, expected a whole number of frames")
    return two_head_needs(fields)


def sequence_needs(fields: dict[str, Any]) -> Needs:
    needs = teacher_needs(fields)
    return Needs(labels=needs.labels, hypotheses=needs.teacher_logits)


def frame_and_sequence_needs(fields: dict[str, Any]) -> Needs:
    check_parameter("frames_and_path", fields.get("share"))
    needs = distillation_needs(fields)
    return needs._replace(hypotheses=needs.teacher_logits)


def consistency_needs(fields: dict[str, Any]) -> Needs:
    check_parameter("cr_ctc", fields.get("alpha"))
    return Needs(labels="CR-CTC is the CTC loss of two views")


def check_selection(fields: dict[str, Any]):
    """Checks ``"selection"`` and ``"log_prior"`` among the settings of a criterion."""
    selection, has_prior = fields.get("selection", {"rule": "all"}), "log_prior" in fields
    if "rule" not in selection or set(selection) - {"rule", "parameters"}:
        raise ValueError(f"a selection has {sorted(selection)}; expected a rule and, where it takes any, parameters")
    rule, parameters = selection["rule"], selection.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise ValueError(f"selection rule {rule!r} has parameters {parameters!r}; expected a dict, or no such key")
    check_rule(rule, parameters)
    if (rule == "prior") != has_prior:
        raise ValueError(f"selection rule {rule!r} {'needs the' if rule == 'prior' else 'takes no'} log_prior")


OF_TEACHER = ("kd_scale", "temperature", "normalisation")
OF_SELECTION = (*OF_TEACHER, "selection", "log_prior")
CONTROLS = ("teacher_shift", "other_utterance", "independent_dropout")

CRITERIA = {
    "DistillationLoss": CriterionClass("ctc_kd.nn.distillation", OF_SELECTION, distillation_needs),
    "GuidedCtcLoss": CriterionClass("ctc_kd.nn.guided_ctc", ("kd_scale", "normalisation"), teacher_needs),
    "IntermediateCtcLoss": CriterionClass("ctc_kd.nn.self_distillation", ("alpha",), two_head_needs, two_heads=True),
    "SelfDistillationLoss": CriterionClass(
        "ctc_kd.nn.self_distillation",
        ("alpha", "temperature", "normalisation", "selection", *CONTROLS),
        self_distillation_needs,
        two_heads=True,
    ),
    "SoftSelectionLoss": CriterionClass("ctc_kd.nn.soft_selection", OF_TEACHER, teacher_needs),
    "SequenceLoss": CriterionClass("ctc_kd.nn.sequence", ("kd_scale",), sequence_needs),
    "FrameAndSequenceLoss": CriterionClass(
        "ctc_kd.nn.frame_and_sequence", (*OF_SELECTION, "share"), frame_and_sequence_needs
    ),
    "FactorisedLoss": CriterionClass("ctc_kd.nn.factorised", OF_TEACHER, teacher_needs),
    "DelayedLoss": CriterionClass("ctc_kd.nn.delayed", (*OF_TEACHER, "d"), delayed_needs),
    "InterLoss": CriterionClass("ctc_kd.nn.inter_kd", (*OF_SELECTION, "share"), inter_needs, two_heads=True),
    "ConsistencyLoss": CriterionClass("ctc_kd.nn.cr_ctc", ("alpha",), consistency_needs),
}


def criterion_class(literal: dict[str, Any]) -> CriterionClass:
    """
    :raises ValueError: there is no such criterion
    """
    name = literal.get("class", SELECTS)
    if name not in CRITERIA:
        raise ValueError(f'a criterion has "class": {name!r}; expected one of {", ".join(CRITERIA)}')
    return CRITERIA[name]


def needs_of(literal: dict[str, Any]) -> Needs:
    """
    :raises ValueError: the class or a setting of a criterion is unknown or wrong
    """
    criterion, fields = criterion_class(literal), {name: value for name, value in literal.items() if name != "class"}
    if unknown := set(fields) - set(criterion.fields):
        raise ValueError(
            f"the criterion {literal.get('class', SELECTS)} has {', '.join(sorted(unknown))}; expected only "
            f"{', '.join(criterion.fields)}"
        )
    return criterion.needs(fields)


def check_criterion(
    literal: dict[str, Any], *, model: dict[str, Any], labels: Any, teacher_logits: Any, hypotheses: Any = None
):
    """
    :param model: what is trained, already checked
    :param labels, teacher_logits, hypotheses: inputs of the training; None for an input that it does not have
    :raises ValueError: see :func:`needs_of`; or the criterion needs an input that the training does not have
    """
    needs = needs_of(literal)
    for reason, found, what in (
        (needs.labels, labels, "label sequences"),
        (needs.teacher_logits, teacher_logits, "the logits of a teacher"),
        (needs.hypotheses, hypotheses, "hypotheses of a teacher"),
    ):
        if reason and found is None:
            raise ValueError(f"{reason}, which needs {what}")
    if criterion_class(literal).two_heads and not has_two_heads(model):
        raise ValueError(f"a {literal['class']} needs two heads, but a {model['class']} has one: see with_two_heads")


def build_criterion(literal: dict[str, Any], *, epoch: int = 1, num_epochs: int = 1) -> Criterion:
    """The loss of a sub-epoch, counted from 1."""
    from ctc_kd.nn.selection import Selection

    fields = {name: weight_at(value, epoch, num_epochs) for name, value in literal.items()}
    name, log_prior = fields.pop("class", SELECTS), fields.pop("log_prior", None)
    if "selection" in fields:
        fields["selection"] = Selection(**fields["selection"])
    if log_prior is not None:
        fields["selection"] = partial(fields["selection"], log_prior=_log_prior(log_prior))
    return getattr(import_module(CRITERIA[name].module), name)(**fields)


@cache
def _log_prior(path: str) -> torch.Tensor:
    import numpy as np
    import torch

    return torch.from_numpy(np.loadtxt(path, dtype="float32"))
