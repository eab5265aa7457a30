"""Students of a grid as folders that transcribe anywhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from sisyphus import tk

from ctc_kd.experiments.blank_kd import Grid
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.export.student import ExportStudentJob


def export(grid: Grid, rows: Sequence[str], *, name: str) -> tk.Path:
    """Registers the folder of :func:`export_job` as ``students/<name>`` beside the records, and returns it."""
    job = export_job(grid, rows)
    job.add_alias(f"{grid.folder}/students/{name}")
    register_outputs({f"{grid.folder}/students/{name}": job.out_student}, requests=grid.chain.preset.requests)
    return job.out_student


def export_job(grid: Grid, rows: Sequence[str]) -> ExportStudentJob:
    """Exports the row with the lowest error rate on dev.

    :param rows: names of rows of the grid, such as ``"symmetric-n2-l1"``; a single one needs no choice
    :raises ValueError: the grid has no such row
    """
    if unknown := [row for row in rows if row not in grid.trained]:
        raise ValueError(f"there is no row {unknown[0]!r} to export; the rows are {', '.join(grid.trained)}")
    corpus, preset = grid.chain.corpus, grid.chain.preset
    trained = {row: grid.trained[row] for row in rows}
    candidates = {
        row: {
            "model": one.posteriors.model,
            "checkpoint": one.posteriors.checkpoint,  # the teacher's is not always that of the last epoch
            "prior": one.posteriors.out_prior,
        }
        for row, one in trained.items()
    }
    return ExportStudentJob(
        candidates=candidates,
        records=list(grid.records.values()),
        inventory=corpus.inventory,
        lexicon=corpus.lexicon,
        lm=corpus.lm,
        search=preset.search,
        teacher=name_of(preset.teacher),
        notes=preset.notes,
        significance=grid.significance,
    )


def name_of(model: dict[str, Any]) -> str:
    """What a model was made of: a name of the Hugging Face hub, or the last part of a folder's."""
    made_of = model.get("model") or model.get("encoder") or model["class"]
    if isinstance(made_of, dict):
        return made_of["model_type"]
    is_name = isinstance(made_of, str) and not os.path.isabs(made_of)
    return made_of if is_name else os.path.basename(str(made_of))
