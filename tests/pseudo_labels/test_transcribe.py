"""Transcription of long recordings by a decoder that counts its calls: order, places, kill and resume."""

import gzip
import json
import math

import numpy as np
import pytest
import soundfile
from sisyphus import tk

from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.corpus.cuts import read_cuts, recording_of, segment_cut, write_cuts
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.speech import FRAME_SAMPLES, spans_of
from ctc_kd.files import read_json
from ctc_kd.pseudo_labels import transcribe
from ctc_kd.pseudo_labels.audio import LONGEST_STRETCH_S, read_samples, stretches
from ctc_kd.pseudo_labels.transcribe import TranscribeJob
from levels import Loudness

RATE = 16000


class Decoder:
    """Hears one segment, which says how loud the stretch is. The test can make it fail."""

    heard, breaks_at = [], None

    def __init__(self, model, *, language, decoding, threads):
        self.facts = model, language, threads

    def decode(self, samples):
        if len(Decoder.heard) == Decoder.breaks_at:
            Decoder.breaks_at = None
            raise KeyboardInterrupt
        Decoder.heard.append(len(samples))
        level = round(100 * float(np.abs(samples).max()))
        return {"language": "en", "segments": [{"start": 0.0, "end": len(samples) / RATE, "text": f"level {level}"}]}


@pytest.fixture(autouse=True)
def stubs(monkeypatch):
    monkeypatch.setattr("silero_vad.load_silero_vad", Loudness)
    monkeypatch.setattr(transcribe, "FasterWhisper", Decoder)
    Decoder.heard, Decoder.breaks_at = [], None


def spoken(*parts):
    """``(seconds, level)``"""
    signs = np.random.default_rng(0).choice([-1, 1], 60 * RATE)
    return np.concatenate([float(level) * signs[: round(RATE * seconds)] for seconds, level in parts])


def write(folder, name, samples, rate=RATE):
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / f"{name}.flac", samples, rate)


def cuts_of(run_here, folder, **options):
    return run_here(ReadAudioFolderJob(folder=tk.Path(str(folder)), max_seconds=math.inf, **options)).out_cuts


@pytest.fixture
def run_tasks(run_here, tmp_path, monkeypatch):
    """Runs all tasks of a TranscribeJob in its work folder."""

    def run(job):
        monkeypatch.setattr(job, "run", lambda: [*(TranscribeJob.run(job, n) for n in range(job.shards)), job.join()])
        run_here(job)
        with gzip.open(job.out_transcriptions.get_path(), "rt") as file:
            return [json.loads(line) for line in file]

    return run


TALK = ((2, 0), (4, 0.2), (2, 0), (3, 0.3), (8, 0), (20, 0.4), (2, 0))


def test_speech_is_decoded_in_its_place_and_silence_is_not(run_here, run_tasks, tmp_path):
    write(tmp_path / "in", "talk", spoken(*TALK))
    write(tmp_path / "in", "silence", spoken((20, 0)))
    job = TranscribeJob(cuts=cuts_of(run_here, tmp_path / "in"), model="small", language=None)
    silent, talk = run_tasks(job)
    assert (silent["recording"], silent["stretches"]) == ("silence", [])
    said = [segment for part in talk["stretches"] for segment in part["segments"]]
    assert [one["text"] for one in said] == ["level 30", "level 40"]  # the short pause is decoded, too
    expected = [1.8, 11.2], [18.8, 39.2]
    np.testing.assert_allclose([[one["start"], one["end"]] for one in said], expected, atol=0.05)
    cost = read_json(job.out_cost.get_path())
    assert cost["hours"] == pytest.approx(61 / 3600) and cost["speech_hours"] == pytest.approx(29.8 / 3600, rel=0.01)


def test_a_killed_job_loses_and_repeats_nothing(run_here, run_tasks, tmp_path):
    for name in "abc":
        write(tmp_path / "in", name, spoken(*TALK))
    cuts = cuts_of(run_here, tmp_path / "in")
    Decoder.breaks_at = 3  # in the second stretch of b
    job = TranscribeJob(cuts=cuts, model="small", language="en")
    with pytest.raises(KeyboardInterrupt):
        run_tasks(job)
    assert len(Decoder.heard) == 3
    write(tmp_path / "in", "0", spoken((4, 0.5)))  # whose place in the manifest is that of a
    cuts = cuts_of(run_here, tmp_path / "in")
    resumed = run_tasks(job)
    assert len(Decoder.heard) == 7
    undisturbed = run_tasks(TranscribeJob(cuts=cuts, model="other", language="en", shards=2))
    for line in (*resumed, *undisturbed):
        for part in line["stretches"]:
            part.pop("decoding_s")
    assert resumed == undisturbed


def test_other_audio_is_refused_before_anything_is_decoded(run_here, run_tasks, tmp_path):
    write(tmp_path / "in", "talk", spoken((2, 0.3)), rate=8000)
    job = TranscribeJob(cuts=cuts_of(run_here, tmp_path / "in", convert=True), model="small", language=None)
    with pytest.raises(CorpusError, match="recording talk: 8000 Hz.*\n.*ConvertAudioJob"):
        run_tasks(job)
    assert Decoder.heard == []


def test_a_recording_within_a_file_keeps_its_own_time(tmp_path):
    samples = spoken((1, 0.1), (1, 0.2), (1, 0.3))
    write(tmp_path / "in", "talk", samples)
    file = str(tmp_path / "in" / "talk.flac")
    recording = recording_of("talk", audio=file, num_samples=3 * RATE, sample_rate_hz=RATE)
    cut = segment_cut("b", recording=recording, start=RATE, num_samples=RATE, speaker="s")
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), [cut])
    (read,) = read_cuts(str(tmp_path / "cuts.jsonl.gz"))
    np.testing.assert_allclose(read_samples(read, 10, 20), samples[19200:22400], atol=1e-4)
    with pytest.raises(CorpusError, match="recording b: .*talk.flac: 16000 samples from 32000 on, expected 32320"):
        read_samples(read, 50, 151)


def test_hours_of_speech_are_decoded_in_parts_that_fit_into_memory():
    frames = 2 * 3600 * RATE // FRAME_SAMPLES
    spans = spans_of([1.0] * frames, num_samples=2 * 3600 * RATE, max_seconds=LONGEST_STRETCH_S)
    parts = stretches(spans, num_samples=2 * 3600 * RATE)
    assert parts[0][0] == 0 and parts[-1][1] == 2 * 3600 * 50
    assert max(end - start for start, end in parts) <= 50 * LONGEST_STRETCH_S
    assert all(before[1] == after[0] for before, after in zip(parts, parts[1:], strict=False))


def test_neighbouring_speech_is_decoded_together_up_to_30_s_but_not_across_long_pauses():
    seconds = [(0, 10), (12, 20), (21, 29), (29.5, 31), (40, 41), (43.5, 50)]
    spans = [tuple(round(RATE * edge) for edge in span) for span in seconds]
    assert stretches(spans, num_samples=50 * RATE) == [(0, 1450), (1475, 1550), (2000, 2500)]
    assert stretches([(0, 100)], num_samples=100) == []  # less than a tick
    shorter = stretches(spans, num_samples=50 * RATE, longest_ticks=1000)
    assert shorter == [(0, 1000), (1050, 1550), (2000, 2500)]


def test_a_model_of_short_audio_gets_no_longer_stretches(run_here, run_tasks, tmp_path):
    write(tmp_path / "in", "talk", spoken(*TALK))
    cuts = cuts_of(run_here, tmp_path / "in")
    run_tasks(TranscribeJob(cuts=cuts, model="m", language="en", max_seconds=8.0))
    assert len(Decoder.heard) > 3 and max(Decoder.heard) <= 8.1 * RATE
