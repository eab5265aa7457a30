"""A trained model that becomes a folder, see :mod:`ctc_kd.recognition.folder`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sisyphus import tk

from ctc_kd.files import complete_folder

if TYPE_CHECKING:
    from ctc_kd.export.card import Card
    from ctc_kd.recognition.folder import Decoding


def export_model(
    target: str,
    *,
    model: dict[str, Any],
    checkpoint: tk.Path,
    inventory: tk.Path | None,
    decoding: Decoding,
    card: Card,
    facts: Mapping[str, Any],
):
    """Writes the folder, with the files that other programs read if it is a ``StudentCtc``.

    :param model: class and config, see ``training.build.build_model``
    :param inventory: what the outputs stand for; None for the phonemes
    :param facts: see :func:`ctc_kd.recognition.folder.write`
    """
    from ctc_kd.export.card import ModelFacts
    from ctc_kd.recognition import folder
    from ctc_kd.recognition.clients import add_clients
    from ctc_kd.recognition.cost import model_rtf
    from ctc_kd.training.build import build_model, weights_of
    from ctc_kd.training.outputs import inventory_and_model

    labels, literal = inventory_and_model(inventory, model)
    literal = portable(literal)
    built = build_model(literal).eval()
    built.load_state_dict(weights_of(checkpoint.get_path()))
    known = ModelFacts(
        num_parameters=sum(parameter.numel() for parameter in built.parameters()),
        model_rtf=model_rtf(built),
        config=built.cfg,
        has_lexicon=decoding.lexicon is not None,
        has_clients=literal["class"] == "StudentCtc",
    )
    with complete_folder(target) as partial:
        folder.write(
            partial,
            model=literal,
            weights=built.state_dict(),
            inventory=labels,
            decoding=decoding,
            card=card.markdown(known),
            facts=facts,
        )
        if known.has_clients:
            add_clients(partial)


def portable(literal: dict[str, Any]) -> dict[str, Any]:
    """The same model without a name of a folder or of a hub: an encoder's configuration instead of its place."""
    from ctc_kd.training.returnn_config import as_literal

    literal = as_literal(literal)
    if isinstance(literal.get("encoder"), str):
        from transformers import AutoConfig

        place = literal["encoder"]
        config = AutoConfig.from_pretrained(place, local_files_only=os.path.isdir(place)).to_dict()
        literal["encoder"] = {name: value for name, value in config.items() if name != "_name_or_path"}
    return literal
