"""Sizes of students for any labels, with the training that suits them."""

from __future__ import annotations

from dataclasses import replace

from ctc_kd.experiments.demo import DEMO
from ctc_kd.experiments.labels import for_other_labels
from ctc_kd.experiments.mini_presets import mini
from ctc_kd.experiments.paper_presets import PAPER
from ctc_kd.experiments.presets import Preset

LARGE = for_other_labels(PAPER["tedlium2"])

SIZES = {
    "tiny": replace(for_other_labels(DEMO), name="tiny", notes=()),
    "small": replace(for_other_labels(mini("facebook/hubert-base-ls960")), name="small"),
    "large": replace(LARGE, name="large", scales=replace(LARGE.scales, climb=True)),
}
"""``tiny``: 1 million parameters, which two cores train on an hour of audio; ``small``: 12 million, for one GPU;
``large``: the paper's 43 million, for hundreds of hours."""


def preset_of(size: str, *, subsampling: int) -> Preset:
    """
    :param subsampling: windows of 10 ms per frame of the students
    :raises ValueError: there is no such size
    """
    if size not in SIZES:
        raise ValueError(f"size is {size!r}, expected one of {', '.join(SIZES)}")
    preset = SIZES[size]
    frontend = {**preset.student.get("frontend", {}), "subsampling": subsampling}
    return replace(preset, student={**preset.student, "frontend": frontend})
