"""The folder of a student: all that recognition needs, and no path of the machine that made it.

``config.json``: the version of the format, the model, its labels, and how words are found, see :class:`Student`.
``model.safetensors``: the weights. ``README.md``: the model card. ``lexicon.txt``, ``lm.kenlm`` and ``log_prior.txt``:
only where the decoding uses them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.files import complete_folder, read_json, write_json, write_text
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.inventory import Inventory
from ctc_kd.training.build import build_model, check_model

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

FORMAT = 1
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
DATA = {"lexicon": "lexicon.txt", "lm": "lm.kenlm", "log_prior": "log_prior.txt"}
"""The files that only some decodings need."""

AGAIN = "copy the folder again, or export the student again"


@dataclass(frozen=True)
class Decoding:
    """How words are found in posteriors.

    Attributes:
        lm_scale, prior_scale: see :mod:`ctc_kd.decoding.search`; the pair that was best on dev
        lexicon, lm: files, see :func:`ctc_kd.decoding.decoders.decoder_of`; None for what the decoder does not use
        log_prior: file with one log probability for each label, see :func:`ctc_kd.decoding.posteriors.load_log_prior`;
            None if posteriors are not divided by a prior
    """

    lm_scale: float = 0.0
    prior_scale: float = 0.0
    search: SearchConfig = field(default_factory=SearchConfig)
    lexicon: str | None = None
    lm: str | None = None
    log_prior: str | None = None

    def __post_init__(self):
        if self.lexicon is not None and self.lm is None:
            raise ValueError("a search for words of a lexicon needs a language model, too")
        if self.prior_scale and self.log_prior is None:
            raise ValueError(f"prior_scale {self.prior_scale} needs a log prior")


@dataclass(frozen=True)
class Student:
    """What :func:`read` finds in a folder.

    Attributes:
        literal: the model, see :mod:`ctc_kd.training.build`
        model: with its weights, in eval mode: 16 kHz samples ``[B, N]``, lengths ``[B]`` -> logits ``[B, T, C]``,
            lengths ``[B]``
        inventory: what the C labels stand for
        decoding: with the paths of the files
        log_prior: ``[C]``; zeros if the decoding uses none
        facts: what else the maker of the folder wrote into its config
    """

    literal: dict[str, Any]
    model: nn.Module
    inventory: Inventory
    decoding: Decoding
    log_prior: np.ndarray
    facts: dict[str, Any]


def write(
    folder: str,
    *,
    model: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    inventory: Inventory,
    decoding: Decoding,
    card: str,
    facts: Mapping[str, Any] | None = None,
):
    """Writes a folder, which is complete or absent.

    :param model: class and config, with ``num_labels_with_blank``
    :param weights: name -> tensor, the model's ``state_dict``
    :param decoding: its files are copied
    :param card: the model card, Markdown
    :param facts: of the student, which JSON can hold; ``config.json`` has them under ``"facts"``
    :raises ValueError: the config of the model cannot be built, or names a path of this machine
    """
    from safetensors.torch import save

    literal = {"class": model["class"], **asdict(check_model(dict(model)))}
    if path := next((value for value in literal.values() if isinstance(value, str) and os.path.isabs(value)), None):
        raise ValueError(f"the model {literal['class']} names the path {path}, which no other machine has")
    sources = {name: path for name in DATA if (path := getattr(decoding, name)) is not None}
    config = {
        "format": FORMAT,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "model": literal,
        "inventory": asdict(inventory),
        "decoding": {**asdict(decoding), **{name: DATA[name] for name in sources}},
        "facts": dict(facts or {}),
    }
    with complete_folder(folder) as partial:
        write_json(os.path.join(partial, CONFIG), config)
        tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
        with open(os.path.join(partial, WEIGHTS), "wb") as file:  # safetensors itself would let only us read the file
            file.write(save(tensors, metadata={"format": "pt"}))
        for name, source in sources.items():
            shutil.copyfile(source, os.path.join(partial, DATA[name]))
        write_text(os.path.join(partial, CARD), card)


def read(folder: str) -> Student:
    """Reads a folder that :func:`write` wrote; nothing in it is unpickled or executed.

    :raises FileNotFoundError: there is no such folder, or a file is missing
    :raises ValueError: a file is damaged, of another version of the format, or does not fit to the others
    """
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{folder}: no such folder, expected the folder of an exported student")
    path = _existing(folder, CONFIG)
    literal, inventory, decoding, facts = _checked_config(path)
    files = {name: _existing(folder, DATA[name]) for name in DATA if decoding[name]}
    try:
        model = build_model(literal)
    except ModuleNotFoundError as error:
        extra = f"{error.name}: pip install 'CHECKOUT[export]', of the repository of ctc-kd"
        raise ValueError(f"{folder}: a {literal['class']} needs {extra}") from error
    _load_weights(model, _existing(folder, WEIGHTS))
    return Student(
        literal=literal,
        model=model.eval(),
        inventory=inventory,
        decoding=Decoding(**{**decoding, **files, "search": SearchConfig(**decoding["search"])}),
        log_prior=_log_prior(files.get("log_prior"), len(inventory.labels)),
        facts=facts,
    )


def _existing(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such file, expected it in the folder of a student; {AGAIN}")
    return path


def _checked_config(path: str) -> tuple[dict, Inventory, dict, dict]:
    """The model, its labels, the fields of its decoding, and the facts.

    :raises ValueError: the config is of another version, or something in it makes no sense
    """
    try:
        config = read_json(path)
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no JSON ({error}); {AGAIN}") from error
    version = config.get("format") if isinstance(config, dict) else None
    if version != FORMAT:
        raise ValueError(
            f"{path}: format {version}, expected {FORMAT}; use the version of ctc-kd that made the folder, or export "
            "the student again"
        )
    try:
        literal, inventory = config["model"], Inventory(**config["inventory"])
        decoding, facts, sample_rate_hz = config["decoding"], config["facts"], config["sample_rate_hz"]
        check_model(literal)
        SearchConfig(**decoding["search"])
        Decoding(**decoding)
        wrong = [name for name, file in DATA.items() if decoding[name] not in (None, file)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ValueError(f"{path}: not the config of a student: {reason}; {AGAIN}") from error
    if wrong:
        raise ValueError(f"{path}: decoding names another {wrong[0]} than {DATA[wrong[0]]}; {AGAIN}")
    outputs = literal["num_labels_with_blank"]
    if outputs != len(inventory.labels):
        raise ValueError(f"{path}: {len(inventory.labels)} labels, expected {outputs}, the model's outputs; {AGAIN}")
    if sample_rate_hz != SAMPLE_RATE_HZ:
        raise ValueError(f"{path}: sample_rate_hz {sample_rate_hz}, expected {SAMPLE_RATE_HZ}; {AGAIN}")
    return literal, inventory, decoding, facts


def _load_weights(model: nn.Module, path: str):
    """:raises ValueError: the file is damaged, or its tensors are not those of the model"""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: damaged ({error}), expected complete weights; {AGAIN}") from error
    expected = model.state_dict()
    for name in sorted({*expected, *weights}):
        shapes = [list(tensors[name].shape) if name in tensors else None for tensors in (weights, expected)]
        if shapes[0] != shapes[1]:
            found, wanted = ("no tensor" if shape is None else f"shape {shape}" for shape in shapes)
            raise ValueError(f"{path}: {name}: {found}, but the model of {CONFIG} has {wanted}; {AGAIN}")
    model.load_state_dict(weights)


def _log_prior(path: str | None, num_classes: int) -> np.ndarray:
    import numpy as np

    from ctc_kd.decoding.posteriors import load_log_prior

    return np.zeros(num_classes, "float32") if path is None else load_log_prior(path, num_classes=num_classes)
