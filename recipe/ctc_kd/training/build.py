"""Builds models from the literals in configs. A graph checks the literals when declared, without torch.

A model is ``{"class": a name in MODELS, ...fields of its config}``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ctc_kd.nn.config import (
    HamaConfig,
    StudentConfig,
    TeacherConfig,
    TransformersConfig,
    TwoHeadEncoderConfig,
    TwoHeadStudentConfig,
)

if TYPE_CHECKING:
    import torch


class ModelClass(NamedTuple):
    """
    :param module: imported only when a model is built, so that students need not wait for transformers
    :param config: class of the config, with a method ``from_dict``
    :param finished: it brings its weights, and has no checkpoint
    :param plain: the class of the shorter model that its intermediate head belongs to; None if it has one head
    """

    module: str
    config: type
    finished: bool = False
    plain: str | None = None


MODELS = {
    "StudentCtc": ModelClass("ctc_kd.nn.student", StudentConfig),
    "SpeechEncoderCtc": ModelClass("ctc_kd.nn.teacher", TeacherConfig),
    "TwoHeadStudentCtc": ModelClass("ctc_kd.nn.two_heads", TwoHeadStudentConfig, plain="StudentCtc"),
    "TwoHeadEncoderCtc": ModelClass("ctc_kd.nn.two_head_encoder", TwoHeadEncoderConfig, plain="SpeechEncoderCtc"),
    "TransformersCtc": ModelClass("ctc_kd.nn.finished", TransformersConfig, finished=True),
    "HamaCtc": ModelClass("ctc_kd.nn.hama", HamaConfig, finished=True),
}


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


def weights_of(checkpoint: str) -> dict[str, torch.Tensor]:
    """The parameters in a checkpoint, by name, on the CPU."""
    import torch

    return torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]


def has_two_heads(literal: dict[str, Any]) -> bool:
    return MODELS[literal["class"]].plain is not None


def num_layers(student: dict[str, Any]) -> int:
    """The number of blocks of a conformer."""
    return check_model(student, has_inventory=True).conformer.num_layers


def with_two_heads(literal: dict[str, Any], layer: int) -> dict[str, Any]:
    """A model with a second head on its layer ``layer``, counted from 1.

    :raises ValueError: there is no such model with two heads
    """
    classes = {model.plain: name for name, model in MODELS.items() if model.plain}
    if literal["class"] not in classes:
        raise ValueError(f"a {literal['class']} has no second head; expected one of {', '.join(classes)}")
    return {**literal, "class": classes[literal["class"]], "layer": layer}


def shortened(literal: dict[str, Any], num_layers: int) -> dict[str, Any]:
    """A model of one head with fewer layers: a pre-trained encoder keeps its first ones.

    :raises ValueError: the number of layers of such a model cannot be chosen
    """
    name = literal["class"]
    if name == "StudentCtc":
        return {**literal, "conformer": {**literal.get("conformer", {}), "num_layers": num_layers}}
    if name == "SpeechEncoderCtc":
        options = {**literal.get("encoder_options", {}), "num_hidden_layers": num_layers}
        return {**literal, "encoder_options": options}
    raise ValueError(f"a {name} cannot be shortened; expected a StudentCtc or a SpeechEncoderCtc")


def truncated(literal: dict[str, Any]) -> dict[str, Any]:
    """The plain model that the intermediate head of a model with two heads belongs to."""
    own = {name: value for name, value in literal.items() if name not in ("layer", "head")}
    return shortened({**own, "class": MODELS[literal["class"]].plain}, literal["layer"])
