"""Second models that say what they hear in a piece: a small Whisper, or a CTC model, which cannot loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ctc_kd.frames import SUBSAMPLING, min_samples

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ctc_kd.inventory import Inventory

KINDS = {
    "whisper": {"model", "language"},
    "student": {"folder"},
    "ctc": {"model"},
    "trained": {"model", "checkpoint", "inventory"},
}
"""Kind of a validator -> what it is declared with, see :func:`validator_of`."""

Heard = tuple[str, bool]
"""What was said, and whether these are phonemes."""


def check_validator(validator: dict[str, Any]):
    """:raises ValueError: it is none of :data:`KINDS`, or is declared with something else"""
    kind = validator.get("kind")
    if kind not in KINDS or set(validator) - {"kind"} != KINDS[kind]:
        expected = "; ".join(f"{name} with {', '.join(sorted(fields))}" for name, fields in KINDS.items())
        raise ValueError(f"the validator {validator} is none; expected a kind: {expected}")


def validator_of(validator: dict[str, Any], *, threads: int) -> Callable[[np.ndarray], Heard]:
    """
    :param validator: ``kind``, and for ``"whisper"`` the ``model`` and ``language`` of
        :class:`ctc_kd.pseudo_labels.whisper.FasterWhisper`, for ``"student"`` the ``folder`` of an exported one, for
        ``"ctc"`` the ``model``, class and config of a finished one, for ``"trained"`` those of one that was trained
        here, its ``checkpoint``, and the ``inventory`` of its outputs
    :return: samples ``[N]`` -> what was said
    """
    if validator["kind"] == "whisper":
        from ctc_kd.pseudo_labels.whisper import GREEDY, FasterWhisper

        whisper = FasterWhisper(validator["model"], language=validator["language"], decoding=GREEDY, threads=threads)
        return lambda samples: (" ".join(one["text"] for one in whisper.decode(samples)["segments"]), False)
    if validator["kind"] == "student":
        from ctc_kd.recognition.recogniser import Recogniser

        student = Recogniser.from_folder(validator["folder"])
        return lambda samples: (" ".join(segment.text for segment in student.transcribe(samples)), False)
    if validator["kind"] == "trained":
        return CtcValidator(*trained(validator["model"], validator["checkpoint"], validator["inventory"]))
    return CtcValidator(*finished(validator["model"]))


def finished(literal: dict[str, Any]) -> tuple[torch.nn.Module, Inventory]:
    """
    :param literal: class and config of a finished CTC model
    :raises ValueError: it says phonemes that have no counterparts here
    """
    from ctc_kd.lexicon.finished_vocabulary import finished_inventory
    from ctc_kd.training.build import build_model

    inventory = finished_inventory(literal)
    if inventory.kind == "phonemes" and literal["class"] != "HamaCtc":
        raise ValueError(f"{literal['model']} says phonemes: of those only hama's can be compared with a text")
    return build_model({**literal, "subsampling": None, "num_labels_with_blank": len(inventory.labels)}), inventory


def trained(literal: dict[str, Any], checkpoint: str, path: str) -> tuple[torch.nn.Module, Inventory]:
    """
    :param literal: class and config of a CTC model that was trained here
    :param path: file of its inventory
    :raises ValueError: it says phonemes
    """
    from ctc_kd.inventory import read_inventory
    from ctc_kd.training.build import build_model, weights_of

    inventory = read_inventory(path)
    if inventory.kind == "phonemes":
        raise ValueError(
            f"{path}: a validator that was trained here says phonemes, which are not compared with texts: train it on "
            "characters or pieces of words"
        )
    model = build_model({**literal, "num_labels_with_blank": len(inventory.labels)})
    model.load_state_dict(weights_of(checkpoint))
    return model, inventory


class CtcValidator:
    """The best path of a CTC model."""

    def __init__(self, model: torch.nn.Module, inventory: Inventory):
        self.model = model.eval()
        self.inventory = inventory

    def __call__(self, samples: np.ndarray) -> Heard:
        import torch

        if len(samples) < min_samples(self.model.cfg.subsampling or SUBSAMPLING):
            return "", self.inventory.kind == "phonemes"
        with torch.inference_mode():
            logits, lengths = self.model(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
        return heard(self.inventory, logits[0, : int(lengths[0])].argmax(dim=-1).tolist())


def heard(inventory: Inventory, path: list[int]) -> Heard:
    """
    :param path: the best label of each frame ``[T]``
    :return: text; of phonemes those of ARPAbet without the labels between words
    """
    from ctc_kd.lexicon.ipa import ARPABET

    labels = inventory.collapsed(path)
    if inventory.kind != "phonemes":
        return inventory.text(labels), False
    names = [inventory.labels[label] for label in labels]
    spoken = [name for name in names if name not in (*inventory.unspoken, inventory.boundary)]
    return " ".join(ARPABET.get(name, name) for name in spoken), True
