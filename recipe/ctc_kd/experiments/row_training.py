"""What a student of a row minimises, with which model and for how long: from the declaration of its method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.rows import Row
from ctc_kd.methods import METHODS, SELECTS
from ctc_kd.training.build import num_layers, with_two_heads
from ctc_kd.training.criteria import CRITERIA
from ctc_kd.training.training_config import TrainingConfig

NBEST_SEARCH = SearchConfig(beam_size=32)
"""Of the N-best lists of sequence-level distillation. With a teacher of phonemes, lists of four were in 40 of 40
utterances those of a beam of 128, which took four times as long."""


def normalisation_of(row: Row, preset: Preset) -> str:
    plain = row.method == "all" and row.weight < 1.0
    return preset.plain_normalisation if plain else preset.normalisation


def criterion_of(row: Row, preset: Preset, **paths: Any) -> dict[str, Any]:
    """The literal of the row's loss, see ``ctc_kd.training.criteria``.

    :param paths: settings that are files, such as ``log_prior``
    """
    method = METHODS[row.method]
    if not method.distils and method.criterion == SELECTS:
        return {"kd_scale": 0.0}
    settings = {"temperature": preset.temperature, **paths}
    if method.weighted:
        settings |= {"kd_scale": row.weight, "normalisation": normalisation_of(row, preset)}
    settings |= {"selection": row.selection} if method.is_rule else row.parameters
    taken = {name: settings[name] for name in CRITERIA[method.criterion].fields if name in settings}
    return taken if method.criterion == SELECTS else {"class": method.criterion, **taken}


def model_of(row: Row, preset: Preset) -> dict[str, Any]:
    """The literal of the row's model: that of the preset, with a second head in the middle if the loss needs two."""
    model = preset.student if METHODS[row.method].distils else preset.baseline or preset.student
    if not CRITERIA[METHODS[row.method].criterion].two_heads:
        return model
    return with_two_heads(model, num_layers(model) // 2)


def training_of(row: Row, preset: Preset) -> TrainingConfig:
    training = preset.student_training
    if not METHODS[row.method].distils:
        training = preset.baseline_training or training
    if row.seed is not None:
        training = replace(training, seed=row.seed)
    return training.shortened(METHODS[row.method].updates)
