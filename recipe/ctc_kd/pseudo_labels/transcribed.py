"""True labels in the place of pseudo labels: what a first Whisper model learns from."""

from __future__ import annotations

from itertools import groupby

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cuts import Cut, read_cuts
from ctc_kd.corpus.transcripts import read_texts
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.pseudo_labels.chunks import chunks
from ctc_kd.pseudo_labels.pieces import TICK_SAMPLES, TICKS_PER_S, Segment, write_pieces


class TranscribedChunksJob(Job):
    """The utterances of long recordings as segments, merged into chunks as pseudo labels are. Texts become lower case.

    :param cuts, transcripts: utterances within their recordings, in order, such as ``JoinUtterancesJob`` writes them
    :param max_seconds: of a chunk of several utterances

    ``out_chunks``: pieces, each of the recording by whose id its utterances name it.
    """

    def __init__(self, *, cuts: tk.Path, transcripts: tk.Path, max_seconds: float = 30.0):
        self.cuts = cuts
        self.transcripts = transcripts
        self.max_seconds = max_seconds
        self.out_chunks = self.output_path("chunks.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        texts = read_texts(self.transcripts.get_path())
        longest_ticks, made = round(self.max_seconds * TICKS_PER_S), []
        for recording, cuts in groupby(read_cuts(self.cuts.get_path()), key=lambda cut: cut.recording["id"]):
            utterances = list(cuts)
            segments = [segment_of(cut, texts[cut.id].lower()) for cut in utterances]
            made += chunks(recording, utterances[0].speaker, segments, longest_ticks=longest_ticks)
        write_pieces(self.out_chunks.get_path(), made)
        print(f"{len(made)} chunks, {sum(piece.seconds for piece in made) / 3600:.3f} hours")


def segment_of(cut: Cut, text: str) -> Segment:
    """All whole ticks of an utterance."""
    start = -(-round(cut.start * SAMPLE_RATE_HZ) // TICK_SAMPLES)
    return Segment(start, (round(cut.start * SAMPLE_RATE_HZ) + cut.num_samples) // TICK_SAMPLES, text)
