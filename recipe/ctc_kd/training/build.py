"""Builds models and losses from the literals in configs. A graph checks the literals when declared, without torch.

A model is ``{"class": a name in MODELS, ...fields of its config}``, a criterion ``{"kd_scale": lambda, ...}``.
"""

from __future__ import annotations

from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ctc_kd.methods import check_rule
from ctc_kd.nn.config import (
    NORMALISATIONS,
    HamaConfig,
    StudentConfig,
    TeacherConfig,
    TransformersConfig,
    check_distillation,
)

if TYPE_CHECKING:
    import torch

    from ctc_kd.nn.losses import DistillationLoss


class ModelClass(NamedTuple):
    """
    :param module: imported only when a model is built, so that students need not wait for transformers
    :param config: class of the config, with a method ``from_dict``
    :param finished: it brings its weights, and has no checkpoint
    """

    module: str
    config: type
    finished: bool = False


MODELS = {
    "StudentCtc": ModelClass("ctc_kd.nn.student", StudentConfig),
    "SpeechEncoderCtc": ModelClass("ctc_kd.nn.teacher", TeacherConfig),
    "TransformersCtc": ModelClass("ctc_kd.nn.finished", TransformersConfig, finished=True),
    "HamaCtc": ModelClass("ctc_kd.nn.hama", HamaConfig, finished=True),
}

CRITERION_FIELDS = ("kd_scale", "temperature", "normalisation", "selection", "log_prior")


def check_model(literal: dict[str, Any], *, has_inventory: bool = False) -> Any:
    """Returns the config of a model.

    :param has_inventory: the number of outputs need not be known yet, because an inventory will say it
    :raises ValueError: the class is unknown, or its config cannot be built
    """
    fields = {**({"num_labels_with_blank": 1} if has_inventory else {}), **literal}
    name = fields.pop("class", None)
    if name not in MODELS:
        raise ValueError(f'a model has "class": {name!r}; expected one of {", ".join(MODELS)}')
    try:
        return MODELS[name].config.from_dict(fields)
    except (TypeError, ValueError) as error:  # a field is unknown, missing or wrong
        raise ValueError(f"the config of the model {name} cannot be built: {error}") from error


def is_finished(literal: dict[str, Any]) -> bool:
    """Whether a model brings its weights, so that it is never trained here and has no checkpoint."""
    return MODELS[literal["class"]].finished


def check_forward(literal: dict[str, Any], *, checkpoint: Any, inventory: Any):
    """
    :param checkpoint, inventory: inputs of a forward pass; None for an input that it does not have
    :raises ValueError: the model cannot be built, has no weights, or has weights of its own beside the checkpoint's
    """
    check_model(literal, has_inventory=inventory is not None)
    name = literal["class"]
    if is_finished(literal) == (checkpoint is not None):
        raise ValueError(f"a {name} {'has weights of its own, and takes no' if checkpoint else 'needs a'} checkpoint")


def build_model(literal: dict[str, Any]) -> torch.nn.Module:
    config = check_model(literal)
    return getattr(import_module(MODELS[literal["class"]].module), literal["class"])(config)


def check_criterion(literal: dict[str, Any], *, labels: Any, teacher_logits: Any):
    """
    :param labels, teacher_logits: inputs of the training; None for an input that it does not have
    :raises ValueError: a field is unknown or wrong, or the criterion needs an input that the training does not have
    """
    if unknown := set(literal) - set(CRITERION_FIELDS):
        raise ValueError(f"a criterion has {', '.join(sorted(unknown))}; expected only {', '.join(CRITERION_FIELDS)}")
    scale = literal.get("kd_scale")
    check_distillation(
        kd_scale=scale,
        temperature=literal.get("temperature", 1.0),
        normalisation=literal.get("normalisation", NORMALISATIONS[0]),
    )
    if scale < 1 and labels is None:
        raise ValueError(f"kd_scale {scale} leaves a weight to the CTC loss, which needs label sequences")
    if scale > 0 and teacher_logits is None:
        raise ValueError(f"kd_scale {scale} needs the logits of a teacher")
    if scale > 0:
        _check_selection(literal.get("selection", {"rule": "all"}), has_prior="log_prior" in literal)


def _check_selection(selection: dict[str, Any], *, has_prior: bool):
    if "rule" not in selection or set(selection) - {"rule", "parameters"}:
        raise ValueError(f"a selection has {sorted(selection)}; expected a rule and, where it takes any, parameters")
    rule = selection["rule"]
    check_rule(rule, selection.get("parameters") or {})
    if (rule == "prior") != has_prior:
        raise ValueError(f"selection rule {rule!r} {'needs the' if rule == 'prior' else 'takes no'} log_prior")


def build_criterion(literal: dict[str, Any]) -> DistillationLoss:
    """Here ``"selection"`` is ``{"rule", "parameters"}``, and ``"log_prior"`` a file for the rule that needs it."""
    from ctc_kd.nn.losses import DistillationLoss
    from ctc_kd.nn.selection import Selection

    fields = {name: value for name, value in literal.items() if name != "log_prior"}
    selection = Selection(**literal.get("selection", {}))
    if "log_prior" in literal:
        selection = partial(selection, log_prior=_log_prior(literal["log_prior"]))
    return DistillationLoss(**{**fields, "selection": selection})


@cache
def _log_prior(path: str) -> torch.Tensor:
    import numpy as np
    import torch

    return torch.from_numpy(np.loadtxt(path, dtype="float32"))
