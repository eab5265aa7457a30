"""How much of the teacher each selection rule distils: share of frames kept, and what the spikes look like."""

from __future__ import annotations

from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.frames import FRAME_SHIFT_S

BATCH_FRAMES = 1 << 15  # with padding; bounds the memory, has no influence on the result


class CoverageJob(Job):
    """Counts the frames that each selection rule keeps from a store of teacher logits, padding excluded.

    ``out_coverage`` (JSON): ``utterances, frames, frame_shift_s, blank_share`` (frames with blank as best label),
    ``mean_entropy`` (nats per frame), ``selections`` (list of ``rule, parameter, frames, share``), ``spikes``, see
    :class:`ctc_kd.analysis.spikes.SpikeStatistics`, and ``first_centre_s``, the time of the teacher's first frame (null
    for a store that does not say it).

    :param logits: store of raw logits ``[T, C]`` by utterance, with its inventory
    :param selections: arguments of :class:`ctc_kd.nn.selection.Selection`, e.g.
        ``{"rule": "symmetric", "parameters": {"n": 2}}``
    :param log_prior: text file of C log probabilities, needed by the rule ``"prior"`` only
    """

    def __init__(self, *, logits: tk.Path, selections: list[dict[str, Any]], log_prior: tk.Path | None = None):
        self.logits = logits
        self.selections = selections
        self.log_prior = log_prior
        self.out_coverage = self.output_path("coverage.json")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import numpy as np
        import torch

        from ctc_kd.analysis.counting import count_frames
        from ctc_kd.inventory import inventory_of
        from ctc_kd.store import read_hdf, read_metadata

        metadata = read_metadata(self.logits.get_path())
        log_prior = self.log_prior and torch.from_numpy(np.loadtxt(self.log_prior.get_path(), dtype="float32"))
        coverage = count_frames(
            read_hdf(self.logits.get_path()),
            self.selections,
            blank=inventory_of(self.logits.get_path()).blank,
            frame_shift_s=metadata.get("frame_shift_s", FRAME_SHIFT_S),
            batch_frames=BATCH_FRAMES,
            log_prior=log_prior,
        )
        coverage["first_centre_s"] = metadata.get("first_centre_s")
        write_json(self.out_coverage.get_path(), coverage)
