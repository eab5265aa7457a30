"""A large model transcribes long recordings: first where speech is, then what is said there, and when."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.corpus.audio import info_of
from ctc_kd.corpus.cuts import Cut, key_of, read_cuts
from ctc_kd.corpus.pauses import speech_spans
from ctc_kd.corpus.problems import refuse
from ctc_kd.files import read_json, write_json
from ctc_kd.pseudo_labels.audio import LONGEST_STRETCH_S, read_samples, stretches
from ctc_kd.pseudo_labels.pieces import LONGEST_TICKS, TICKS_PER_S, write_lines_of_json
from ctc_kd.pseudo_labels.whisper import FasterWhisper, WhisperDecoding


class TranscribeJob(Job):
    """Writes what Whisper says about the speech in recordings of any length, as it says it.

    Speech is found first, and only speech is decoded, so that silence and music get no text. Each stretch of it is
    decoded by itself and keeps its place, so times are those of the recording. A killed job goes on with the stretch at
    which it was killed.

    :param cuts: recordings of 16 kHz mono
    :param model: a folder that CTranslate2 reads, see ``ConvertWhisperJob``, or a name that faster-whisper knows
    :param language: of all speech, such as ``"en"``; None to detect that of each stretch
    :param shards: number of tasks that share the recordings
    :param max_seconds: of a stretch, for models that learnt from shorter audio; None for up to 30 s of neighbouring
        speech, and up to 10 minutes of speech without a pause of a second

    ``out_transcriptions``: a JSON line for each recording: ``recording, source, seconds``, and ``stretches`` with
    ``start, end`` in ticks of 20 ms, ``language``, ``decoding_s``, and ``segments`` as
    :meth:`ctc_kd.pseudo_labels.whisper.FasterWhisper.decode` returns them, with times in the recording.
    ``out_cost``: JSON: ``hours`` of audio, ``speech_hours``, ``decoding_s``, ``seconds_per_hour`` of audio.
    """

    __sis_hash_exclude__ = {"shards": 1, "max_seconds": None}

    def __init__(
        self,
        *,
        cuts: tk.Path,
        model: tk.Path | str,
        language: str | None,
        decoding: WhisperDecoding = WhisperDecoding(),  # noqa: B008  it is frozen
        shards: int = 1,
        max_seconds: float | None = None,
    ):
        self.cuts = cuts
        self.model = model
        self.language = language
        self.decoding = decoding
        self.shards = shards
        self.max_seconds = max_seconds
        self.out_transcriptions = self.output_path("transcriptions.jsonl.gz")
        self.out_cost = self.output_path("cost.json")
        self.rqmt = {"cpu": 2, "gpu": 1, "mem": 8, "time": 48}

    def tasks(self):
        yield Task("run", resume="run", args=range(self.shards), parallel=self.shards, rqmt=self.rqmt)
        yield Task("join", resume="join", rqmt={**self.rqmt, "gpu": 0, "time": 1})

    def run(self, shard: int):
        cuts = list(read_cuts(self.cuts.get_path()))
        faults = [f"recording {cut.id}: {fault}" for cut in cuts if (fault := info_of(cut).fault)]
        refuse(faults, where=self.cuts.get_path(), remedy="Convert the audio first, see ConvertAudioJob.")
        for cut in cuts[shard :: self.shards]:
            for _ in self.decoded(cut):
                pass
            print(f"{cut.id}: {cut.duration / 3600:.2f} hours", flush=True)

    def join(self):
        hours = speech = seconds = 0.0
        lines = []
        for cut in read_cuts(self.cuts.get_path()):
            found = list(self.decoded(cut))
            lines.append(
                {"recording": cut.id, "source": cut.speaker or cut.id, "seconds": cut.duration, "stretches": found}
            )
            hours += cut.duration / 3600
            speech += sum(one["end"] - one["start"] for one in found) / TICKS_PER_S / 3600
            seconds += sum(one["decoding_s"] for one in found)
        write_lines_of_json(self.out_transcriptions.get_path(), lines)
        cost = {"hours": hours, "speech_hours": speech, "decoding_s": seconds}
        cost["seconds_per_hour"] = seconds / hours if hours else None
        write_json(self.out_cost.get_path(), cost)
        print(cost)

    def decoded(self, cut: Cut) -> Iterator[dict[str, Any]]:
        """The stretches of a recording with what was said, of earlier runs if there were any."""
        name = key_of(cut.fields)
        longest_s = self.max_seconds or LONGEST_STRETCH_S
        longest_ticks = min(round(longest_s * TICKS_PER_S), LONGEST_TICKS)
        spans = stored(f"{name}.speech", lambda: speech_spans(cut, max_seconds=longest_s))
        together = stretches(spans, num_samples=cut.num_samples, longest_ticks=longest_ticks)
        for part, (start, end) in enumerate(together):
            decode = lambda start=start, end=end: self.decode(cut, start, end)
            yield stored(f"{name}.{part:05d}", decode)

    def decode(self, cut: Cut, start: int, end: int) -> dict[str, Any]:
        samples = read_samples(cut, start, end)
        begun, offset_s = time.monotonic(), start / TICKS_PER_S
        found = self.whisper.decode(samples)
        for segment in found["segments"]:
            segment["start"], segment["end"] = (round(offset_s + segment[name], 2) for name in ("start", "end"))
        return {"start": start, "end": end, "decoding_s": time.monotonic() - begun, **found}

    @cached_property
    def whisper(self) -> FasterWhisper:
        from ctc_kd.training.returnn_config import as_literal

        return FasterWhisper(
            as_literal(self.model), language=self.language, decoding=self.decoding, threads=self.rqmt["cpu"]
        )


def stored(name: str, make: Callable[[], Any]) -> Any:
    """What ``make`` returned when it was first called in this work folder."""
    path = f"{name}.json"
    if not os.path.exists(path):
        write_json(path, make())
    return read_json(path)
