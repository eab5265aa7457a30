"""Kept pieces as a corpus for CTC: utterances and their texts."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import read_cuts, segment_cut, write_cuts
from ctc_kd.corpus.transcripts import write_transcripts
from ctc_kd.pseudo_labels.pieces import TICK_SAMPLES, read_pieces


class PiecesCorpusJob(Job):
    """Writes pieces as a lhotse manifest, and their texts without times and punctuation as transcripts.

    :param pieces: kept ones
    :param cuts: the recordings
    """

    def __init__(self, *, pieces: tk.Path, cuts: tk.Path):
        self.pieces = pieces
        self.cuts = cuts
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.scoring.units import normalised

        recordings = {cut.id: cut for cut in read_cuts(self.cuts.get_path())}
        cuts, texts = [], {}
        for piece in read_pieces(self.pieces.get_path()):
            of = recordings[piece.recording]
            cuts.append(
                segment_cut(
                    piece.id,
                    recording=of.recording,
                    start=round(of.start * of.sample_rate_hz) + piece.start * TICK_SAMPLES,
                    num_samples=(piece.end - piece.start) * TICK_SAMPLES,
                    speaker=of.speaker,
                    language=of.language,
                )
            )
            words = normalised(piece.text.replace("’", "'"), kept="'", dropped="SP").split()
            texts[piece.id] = " ".join(word for word in words if any(map(str.isalnum, word)))  # not what emoji leave
        write_cuts(self.out_cuts.get_path(), cuts)
        write_transcripts(self.out_transcripts.get_path(), texts)
        print(f"{len(cuts)} utterances, {sum(cut.duration for cut in cuts) / 3600:.3f} hours")
