"""What a second model hears in the pieces."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import key_of, read_cuts
from ctc_kd.files import read_json, write_json
from ctc_kd.pseudo_labels.audio import read_samples
from ctc_kd.pseudo_labels.pieces import Piece, read_pieces, write_lines_of_json
from ctc_kd.pseudo_labels.validators import check_validator


class ValidateJob(Job):
    """Has a validator recognise each piece. A killed job keeps the recordings that are finished.

    :param cuts: the recordings
    :param validator: see :func:`ctc_kd.pseudo_labels.validators.validator_of`

    ``out_validations``: JSON lines ``id, text, phonemes``, of phonemes with spaces between them.
    ``out_cost``: JSON: ``hours`` of pieces, ``decoding_s``, ``seconds_per_hour``.
    """

    def __init__(self, *, pieces: tk.Path, cuts: tk.Path, validator: dict[str, Any]):
        check_validator(validator)
        self.pieces = pieces
        self.cuts = cuts
        self.validator = validator
        self.out_validations = self.output_path("validations.jsonl.gz")
        self.out_cost = self.output_path("cost.json")
        self.rqmt = {"cpu": 2, "gpu": 0, "mem": 4, "time": 24}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.pseudo_labels.validators import validator_of
        from ctc_kd.training.returnn_config import as_literal

        recordings: dict[str, list[Piece]] = defaultdict(list)
        for piece in read_pieces(self.pieces.get_path()):
            recordings[piece.recording].append(piece)
        cuts = {cut.id: cut for cut in read_cuts(self.cuts.get_path())}
        validator, lines, seconds, hours = None, [], 0.0, 0.0
        for recording, pieces in recordings.items():
            name = f"{key_of(cuts[recording].fields, [piece.fields() for piece in pieces])}.json"
            if not os.path.exists(name):
                validator = validator or validator_of(as_literal(self.validator), threads=self.rqmt["cpu"])
                write_json(name, self.heard(validator, cuts[recording], pieces))
                print(f"{recording}: {len(pieces)} pieces", flush=True)
            found = read_json(name)
            lines += found["pieces"]
            seconds += found["decoding_s"]
            hours += sum(piece.seconds for piece in pieces) / 3600
        write_lines_of_json(self.out_validations.get_path(), lines)
        cost = {"hours": hours, "decoding_s": seconds, "seconds_per_hour": seconds / hours if hours else None}
        write_json(self.out_cost.get_path(), cost)
        print(cost)

    def heard(self, validator, cut, pieces: list[Piece]) -> dict[str, Any]:
        found, seconds = [], 0.0
        for piece in pieces:
            samples = read_samples(cut, piece.start, piece.end)
            begun = time.monotonic()
            text, phonemes = validator(samples)
            seconds += time.monotonic() - begun
            found.append({"id": piece.id, "text": text, "phonemes": phonemes})
        return {"pieces": found, "decoding_s": seconds}
