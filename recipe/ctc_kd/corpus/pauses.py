"""Cuts long recordings at pauses, which a voice activity detector finds, see :mod:`ctc_kd.corpus.speech`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import info_of
from ctc_kd.corpus.audio_size import blocks_of, mended
from ctc_kd.corpus.cuts import Cut, key_of, read_cuts, segment_cut, write_cuts
from ctc_kd.corpus.ogg_zip import bounded_map
from ctc_kd.corpus.problems import CorpusError, refuse
from ctc_kd.corpus.speech import BLOCK_SAMPLES, Span, spans_of, speech_probabilities
from ctc_kd.files import read_json, write_json
from ctc_kd.frames import SAMPLE_RATE_HZ


class CutAtPausesJob(Job):
    """Replaces utterances of more than ``max_seconds`` by pieces ``<id>-0001``, ... of them, which keep their place.

    Pieces hold all speech, with 0.2 s around it. Pauses of a second or more end them and are left out, as is music.
    Speech that goes on for longer is cut at the longest of its pauses, or at ``max_seconds`` if it has none.

    Recordings are read in blocks of 16 minutes. A killed job keeps the recordings that are finished, in its work
    folder. An utterance without speech is left out and printed.

    :param cuts: of 16 kHz mono audio; utterances up to ``max_seconds`` stay as they are
    :param max_seconds: 2 or more
    """

    def __init__(self, *, cuts: tk.Path, max_seconds: float = 30.0):
        if not max_seconds >= 2:
            raise ValueError(f"max_seconds: {max_seconds}, expected 2 or more")
        self.cuts = cuts
        self.max_seconds = max_seconds
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.rqmt = {"cpu": 2, "mem": 4, "time": 24}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        where = self.cuts.get_path()
        cuts = list(read_cuts(where))
        faults = [f"utterance {cut.id}: {fault}" for cut in cuts if (fault := info_of(cut).fault)]
        refuse(faults, where=where, remedy="Convert the audio first, see ConvertAudioJob.")
        long = {number: cut for number, cut in enumerate(cuts) if cut.duration > self.max_seconds}
        spans: dict[int, list[Span]] = {}
        total_h, done_h = sum(cut.duration for cut in long.values()) / 3600, 0.0
        with ThreadPoolExecutor(self.rqmt["cpu"]) as pool:
            found = bounded_map(pool, self.spans, long.values(), window=2 * self.rqmt["cpu"])
            for number, pieces in zip(long, found, strict=True):
                spans[number] = pieces
                done_h += long[number].duration / 3600
                print(f"{long[number].id}: {len(pieces)} pieces; {done_h:.2f} of {total_h:.2f} hours", flush=True)
        pieces = [piece for number, cut in enumerate(cuts) for piece in cut_up(cut, spans.get(number))]
        if not pieces:
            refuse([f"no speech in {len(cuts)} utterances"], where=where, remedy="Expected recordings of speech.")
        names = Counter(piece.id for piece in pieces)
        twice = [f"utterance {name}: {count} pieces or utterances" for name, count in names.items() if count > 1]
        refuse(twice, where=where, remedy="Pieces are called <id>-0001, ...: give the other utterances other ids.")
        write_cuts(self.out_cuts.get_path(), pieces)
        hours = sum(piece.duration for piece in pieces) / 3600
        print(f"{len(pieces)} utterances, {hours:.3f} of {sum(cut.duration for cut in cuts) / 3600:.3f} hours")

    def spans(self, cut: Cut) -> list[Span]:
        """The pieces of an utterance, of an earlier run if there was one."""
        name = f"pieces.{key_of(cut.fields)}.json"
        if not os.path.exists(name):
            write_json(name, speech_spans(cut, max_seconds=self.max_seconds))
        return [(start, end) for start, end in read_json(name)]


def cut_up(cut: Cut, spans: Sequence[Span] | None) -> Iterator[Cut]:
    """The pieces of an utterance; without spans it stays as it is."""
    if spans is None:
        yield cut
        return
    for number, (start, end) in enumerate(spans, 1):
        yield segment_cut(
            f"{cut.id}-{number:04d}",
            recording=cut.recording,
            start=round(cut.start * SAMPLE_RATE_HZ) + start,
            num_samples=end - start,
            speaker=cut.speaker,
            language=cut.language,
        )


def speech_spans(cut: Cut, *, max_seconds: float) -> list[Span]:
    """Where the pieces of an utterance are, in samples from its start.

    :raises CorpusError: its audio cannot be decoded
    """
    import soundfile
    from silero_vad import load_silero_vad

    try:
        with soundfile.SoundFile(mended(cut.audio)) as audio:
            audio.seek(round(cut.start * SAMPLE_RATE_HZ))
            blocks = (block[:, 0] for block in blocks_of(audio, BLOCK_SAMPLES, number=cut.num_samples))
            probabilities = list(speech_probabilities(blocks, load_silero_vad()))
    except (soundfile.LibsndfileError, OSError, CorpusError) as error:
        raise CorpusError(f"utterance {cut.id}: {cut.audio}: cannot be decoded ({error})") from error
    return spans_of(probabilities, num_samples=cut.num_samples, max_seconds=max_seconds)
