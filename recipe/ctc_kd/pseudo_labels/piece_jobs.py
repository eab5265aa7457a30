"""Jobs from transcriptions to segments, and from those that are kept to chunks."""

from __future__ import annotations

from collections import Counter, defaultdict

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json
from ctc_kd.pseudo_labels.chunks import chunks
from ctc_kd.pseudo_labels.pieces import (
    TICKS_PER_S,
    Piece,
    read_lines_of_json,
    read_pieces,
    write_lines_of_json,
    write_pieces,
)
from ctc_kd.pseudo_labels.segments import timed_segments


class SegmentsJob(Job):
    """The segments of transcriptions, each a piece, without those whose times mean nothing.

    :param transcriptions: ``TranscribeJob.out_transcriptions``

    ``out_segments``: pieces. ``out_faults``: JSON lines ``recording, after, fault, text``: what was left out, and
    behind how many segments of its recording. ``out_counts``: JSON: ``segments``, and the number of each fault.
    """

    def __init__(self, *, transcriptions: tk.Path):
        self.transcriptions = transcriptions
        self.out_segments = self.output_path("segments.jsonl.gz")
        self.out_faults = self.output_path("faults.jsonl.gz")
        self.out_counts = self.output_path("counts.json")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        pieces, faults = [], []
        for line in read_lines_of_json(self.transcriptions.get_path()):
            number = 0
            for part in line["stretches"]:
                if not part["segments"]:
                    where = {"recording": line["recording"], "after": number}
                    faults.append({**where, "fault": "speech without text", "text": ""})
                for segment, fault in timed_segments(part["segments"], first=part["start"], last=part["end"]):
                    if fault is None:
                        segment = segment._replace(language=part["language"])
                        pieces.append(Piece(line["recording"], line["source"], (segment,)))
                        number += 1
                    else:
                        where = {"recording": line["recording"], "after": number}
                        faults.append({**where, "fault": fault, "text": segment.text})
        write_pieces(self.out_segments.get_path(), pieces)
        write_lines_of_json(self.out_faults.get_path(), faults)
        counts = {"segments": len(pieces), "faults": Counter(one["fault"] for one in faults)}
        write_json(self.out_counts.get_path(), counts)
        print(counts)


class ChunksJob(Job):
    """Merges neighbouring segments into chunks of up to 30 s, see :func:`ctc_kd.pseudo_labels.chunks.chunks`.

    :param segments, faults: of ``SegmentsJob``
    :param decisions: of ``FilterJob`` about the segments. Where one was dropped, or had a fault, a chunk ends
    :param max_seconds: of a chunk of several segments

    ``out_chunks``: pieces.
    """

    __sis_hash_exclude__ = {"max_seconds": 30.0}

    def __init__(self, *, segments: tk.Path, faults: tk.Path, decisions: tk.Path, max_seconds: float = 30.0):
        self.segments = segments
        self.faults = faults
        self.decisions = decisions
        self.max_seconds = max_seconds
        self.out_chunks = self.output_path("chunks.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        reasons = {one["id"]: one["reason"] for one in read_lines_of_json(self.decisions.get_path())}
        gaps = {(one["recording"], one["after"]) for one in read_lines_of_json(self.faults.get_path())}
        recordings: dict[tuple[str, str], list[Piece]] = defaultdict(list)
        for piece in read_pieces(self.segments.get_path()):
            recordings[piece.recording, piece.source].append(piece)
        made = []
        for (recording, source), pieces in recordings.items():
            segments = []
            for number, piece in enumerate(pieces):
                segments += [None] * ((recording, number) in gaps)
                segments.append(piece.segments[0] if reasons[piece.id] is None else None)
            made += chunks(recording, source, segments, longest_ticks=round(self.max_seconds * TICKS_PER_S))
        write_pieces(self.out_chunks.get_path(), made)
        print(f"{len(made)} chunks, {sum(piece.seconds for piece in made) / 3600:.3f} hours")
