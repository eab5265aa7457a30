"""Builds losses from the literals in configs. A graph checks the literals when declared, without torch.

A criterion is ``{"class": a name in CRITERIA, ...its settings}``; without a class it is a ``DistillationLoss``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ctc_kd.methods import check_rule
from ctc_kd.nn.config import NORMALISATIONS, check_distillation
from ctc_kd.nn.schedules import weight_at

if TYPE_CHECKING:
    import torch

    from ctc_kd.nn.losses import Criterion


class Needs(NamedTuple):
    """What a criterion takes from the training, each with the reason that an error gives; None for what it ignores."""

    labels: str | None = None
    teacher_logits: str | None = None


class CriterionClass(NamedTuple):
    """
    :param module: imported only when a loss is computed
    :param fields: names of the settings. ``"selection"`` is ``{"rule", "parameters"}``, and ``"log_prior"`` a file for
        the rule that needs it; a number may be a schedule, see :func:`ctc_kd.nn.schedules.weight_at`
    :param needs: takes the settings and raises a ValueError if they make no sense
    """

    module: str
    fields: tuple[str, ...]
    needs: Callable[[dict[str, Any]], Needs]


def distillation_needs(fields: dict[str, Any]) -> Needs:
    scale = fields.get("kd_scale")
    check_distillation(
        kd_scale=scale,
        temperature=fields.get("temperature", 1.0),
        normalisation=fields.get("normalisation", NORMALISATIONS[0]),
    )
    if scale > 0:
        check_selection(fields)
    return Needs(
        labels=f"kd_scale {scale} leaves a weight to the CTC loss" if scale < 1 else None,
        teacher_logits=f"kd_scale {scale} gives a weight to distillation" if scale > 0 else None,
    )


def check_selection(fields: dict[str, Any]):
    """Checks ``"selection"`` and ``"log_prior"`` among the settings of a criterion."""
    selection, has_prior = fields.get("selection", {"rule": "all"}), "log_prior" in fields
    if "rule" not in selection or set(selection) - {"rule", "parameters"}:
        raise ValueError(f"a selection has {sorted(selection)}; expected a rule and, where it takes any, parameters")
    rule = selection["rule"]
    check_rule(rule, selection.get("parameters") or {})
    if (rule == "prior") != has_prior:
        raise ValueError(f"selection rule {rule!r} {'needs the' if rule == 'prior' else 'takes no'} log_prior")


DEFAULT = "DistillationLoss"

CRITERIA = {
    "DistillationLoss": CriterionClass(
        "ctc_kd.nn.losses",
        fields=("kd_scale", "temperature", "normalisation", "selection", "log_prior"),
        needs=distillation_needs,
    ),
}


def check_criterion(literal: dict[str, Any], *, labels: Any, teacher_logits: Any):
    """
    :param labels, teacher_logits: inputs of the training; None for an input that it does not have
    :raises ValueError: the class or a field is unknown or wrong, or the criterion needs an input that the training does
        not have
    """
    fields = dict(literal)
    name = fields.pop("class", DEFAULT)
    if name not in CRITERIA:
        raise ValueError(f'a criterion has "class": {name!r}; expected one of {", ".join(CRITERIA)}')
    criterion = CRITERIA[name]
    if unknown := set(fields) - set(criterion.fields):
        raise ValueError(
            f"the criterion {name} has {', '.join(sorted(unknown))}; expected only {', '.join(criterion.fields)}"
        )
    needs = criterion.needs(fields)
    if needs.labels and labels is None:
        raise ValueError(f"{needs.labels}, which needs label sequences")
    if needs.teacher_logits and teacher_logits is None:
        raise ValueError(f"{needs.teacher_logits}, which needs the logits of a teacher")


def build_criterion(literal: dict[str, Any], *, epoch: int = 1, num_epochs: int = 1) -> Criterion:
    """The loss of a sub-epoch, counted from 1."""
    from ctc_kd.nn.selection import Selection

    fields = {name: weight_at(value, epoch, num_epochs) for name, value in literal.items()}
    name, log_prior = fields.pop("class", DEFAULT), fields.pop("log_prior", None)
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
