"""Long recordings are cut at pauses."""

import math

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from lhotse import CutSet
from sisyphus import tk

from ctc_kd.corpus import pauses, speech
from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.corpus.cuts import recording_of, segment_cut, write_cuts
from ctc_kd.corpus.pauses import CutAtPausesJob
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.speech import FRAME_SAMPLES, spans_of, speech_probabilities

LOUD = 0.1
"""To the detector of these tests, loud frames are speech."""


class Loudness(torch.nn.Module):
    """In the place of silero-vad's detector."""

    def forward(self, frames, sample_rate_hz):
        assert frames.shape[1] == FRAME_SAMPLES and sample_rate_hz == 16000
        return (frames.abs().mean(dim=1, keepdim=True) > LOUD / 2).float()

    def reset_states(self):
        pass


@pytest.fixture
def by_loudness(monkeypatch):
    monkeypatch.setattr("silero_vad.load_silero_vad", Loudness)


def seconds(*spans):
    """Noise, ``(seconds, whether it is loud)``."""
    rng = np.random.default_rng(0)
    parts = [rng.choice([-1, 1], round(16000 * length)) * (LOUD if loud else 0.001) for length, loud in spans]
    return np.concatenate(parts)


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, 16000)


def job_of(run_here, folder, **options):
    cuts = run_here(ReadAudioFolderJob(folder=tk.Path(str(folder)), max_seconds=math.inf)).out_cuts
    return CutAtPausesJob(cuts=cuts, **options)


def pieces(run_here, job):
    return list(CutSet.from_file(run_here(job).out_cuts.get_path()))


def test_pieces_end_at_pauses_and_keep_their_place(run_here, tmp_path, by_loudness):
    write(tmp_path / "in" / "talk.flac", seconds((2, 0), (4, 1), (2, 0), (3, 1), (0.3, 0), (4, 1), (2, 0)))
    write(tmp_path / "in" / "short.flac", seconds((3, 0)))
    found = pieces(run_here, job_of(run_here, tmp_path / "in", max_seconds=6.0))
    assert [cut.id for cut in found] == ["short", "talk-0001", "talk-0002", "talk-0003"]
    expected = [(0, 3), (1.8, 6.2), (7.8, 11.15), (11.15, 15.5)]
    for cut, (start, end) in zip(found, expected, strict=True):
        assert (cut.start, cut.end) == pytest.approx((start, end), abs=0.04)
    samples, _ = soundfile.read(tmp_path / "in" / "talk.flac")
    start = round(16000 * found[2].start)
    np.testing.assert_array_equal(found[2].load_audio()[0], samples[start : start + found[2].num_samples].astype("f"))
    assert {cut.supervisions[0].speaker for cut in found[1:]} == {"talk.flac"}


def test_an_utterance_within_a_recording_is_cut_up_in_its_place(run_here, tmp_path, by_loudness):
    """What is around it would be speech, too."""
    write(tmp_path / "talk.wav", seconds((5, 1), (2, 0), (2, 1), (2, 0), (2, 1), (2, 0), (5, 1)))
    recording = recording_of("talk", audio=str(tmp_path / "talk.wav"), num_samples=320000, sample_rate_hz=16000)
    cut = segment_cut("b", recording=recording, start=96000, num_samples=142400, speaker="Ann", language="de")
    write_cuts(tmp_path / "cuts.jsonl.gz", [cut])
    found = pieces(run_here, CutAtPausesJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz")), max_seconds=4.0))
    assert [cut.id for cut in found] == ["b-0001", "b-0002"]
    for cut, expected in zip(found, [(6.8, 9.2), (10.8, 13.2)], strict=True):
        assert (cut.start, cut.end) == pytest.approx(expected, abs=0.04)
        assert (cut.supervisions[0].speaker, cut.supervisions[0].language) == ("Ann", "de")


def test_speech_without_a_pause_is_cut_at_the_limit(run_here, tmp_path, by_loudness):
    write(tmp_path / "in" / "talk.wav", seconds((11, 1)))
    found = pieces(run_here, job_of(run_here, tmp_path / "in", max_seconds=4.0))
    assert [cut.end for cut in found[:-1]] == [cut.start for cut in found[1:]]
    assert (found[0].start, found[-1].end) == (0, 11)
    assert max(cut.duration for cut in found) <= 4.0
    assert len(found) == 4


frames = st.lists(st.tuples(st.sampled_from([0.0, 0.4, 0.6, 1.0]), st.integers(1, 70)), min_size=1, max_size=20)


@given(runs=frames, missing=st.integers(0, FRAME_SAMPLES - 1), max_seconds=st.sampled_from([2.0, 3.5, 30.0]))
def test_pieces_hold_all_speech_and_are_not_too_long(runs, missing, max_seconds):
    """Whatever the detector finds: a run of frames has one probability of speech."""
    probabilities = [probability for probability, length in runs for _ in range(length)]
    num_samples = len(probabilities) * FRAME_SAMPLES - missing
    spans = spans_of(probabilities, num_samples=num_samples, max_seconds=max_seconds)
    assert all(880 <= end - start <= 16000 * max_seconds for start, end in spans if num_samples >= 880)
    assert all(0 <= start < end <= max(num_samples, 880) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    covered = np.zeros(len(probabilities) * FRAME_SAMPLES, bool)
    for start, end in spans:
        covered[start:end] = True
    covered[num_samples:] = True
    spoken = np.repeat(np.array(probabilities) >= 0.5, FRAME_SAMPLES)
    assert covered[spoken].all()


def test_strips_side_by_side_are_in_the_order_of_the_recording(monkeypatch):
    monkeypatch.setattr(speech, "BLOCK_SAMPLES", 200 * FRAME_SAMPLES)
    rng = np.random.default_rng(0)
    loud = rng.random(517) < 0.5
    samples = (np.repeat(loud, FRAME_SAMPLES) * LOUD).astype("f")[: -FRAME_SAMPLES // 4]
    blocks = [samples[start : start + speech.BLOCK_SAMPLES] for start in range(0, len(samples), speech.BLOCK_SAMPLES)]
    np.testing.assert_array_equal(list(speech_probabilities(blocks, Loudness())), loud)


class Memory(Loudness):
    """Has heard speech if this frame or one of the last 50 is loud."""

    def forward(self, frames, sample_rate_hz):
        now = super().forward(frames, sample_rate_hz)
        self.heard.append(now)
        return torch.stack(self.heard[-50:]).amax(dim=0)

    def reset_states(self):
        self.heard = []


def test_a_strip_begins_with_what_was_before_it(monkeypatch):
    monkeypatch.setattr(speech, "BLOCK_SAMPLES", 96 * FRAME_SAMPLES)
    loud = np.random.default_rng(0).random(400) < 0.02
    samples = (np.repeat(loud, FRAME_SAMPLES) * LOUD).astype("f")
    heard = [loud[max(0, frame - 49) : frame + 1].any() for frame in range(len(loud))]
    blocks = [samples[start : start + speech.BLOCK_SAMPLES] for start in range(0, len(samples), speech.BLOCK_SAMPLES)]
    np.testing.assert_array_equal(list(speech_probabilities(blocks, Memory())), heard)


def test_a_killed_job_keeps_finished_recordings(run_here, tmp_path, by_loudness, monkeypatch):
    for name in "abc":
        write(tmp_path / "in" / f"{name}.wav", seconds((1, 1), (2, 0), (1, 1)))
    job = job_of(run_here, tmp_path / "in", max_seconds=3.0)
    job.rqmt["cpu"] = 1
    opened, mended = [], pauses.mended

    def kill_at_b(path):
        opened.append(path[-5])
        if opened == ["a", "b"]:
            raise KeyboardInterrupt
        return mended(path)

    monkeypatch.setattr(pauses, "mended", kill_at_b)
    with pytest.raises(KeyboardInterrupt):
        run_here(job)
    opened.append("again")
    write(tmp_path / "in" / "0.wav", seconds((5, 0), (2, 1)))  # whose place in the manifest is that of a
    job_of(run_here, tmp_path / "in")
    first, *others = pieces(run_here, job)
    assert first.id == "0-0001" and first.start == pytest.approx(5, abs=0.3)
    assert [cut.id for cut in others] == [f"{name}-{number:04d}" for name in "abc" for number in (1, 2)]
    assert "a" not in opened[opened.index("again") :]


def test_recordings_without_speech_are_left_out_and_named_if_there_is_nothing_else(
    run_here, tmp_path, by_loudness, capsys
):
    write(tmp_path / "in" / "noise.wav", seconds((5, 0)))
    job = job_of(run_here, tmp_path / "in", max_seconds=3.0)
    with pytest.raises(CorpusError, match="no speech in 1 utterances"):
        run_here(job)
    assert "noise: 0 pieces; 0.00 of 0.00 hours" in capsys.readouterr().out


def test_a_piece_and_an_utterance_of_one_id_are_named(run_here, tmp_path, by_loudness):
    """As of a long recording beside its segments by ffmpeg."""
    write(tmp_path / "in" / "talk.flac", seconds((5, 1), (2, 0), (5, 1)))
    write(tmp_path / "in" / "talk-0001.flac", seconds((2, 1)))
    with pytest.raises(CorpusError, match="utterance talk-0001: 2 pieces or utterances"):
        run_here(job_of(run_here, tmp_path / "in", max_seconds=6.0))


def test_a_hole_in_a_recording_is_refused(run_here, tmp_path, by_loudness):
    path = tmp_path / "in" / "talk.ogg"
    write(path, seconds((9, 1)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="utterance talk: .*talk.ogg: cannot be decoded .*samples are missing"):
        run_here(job_of(run_here, tmp_path / "in", max_seconds=6.0))


def test_other_audio_is_refused(run_here, tmp_path):
    path = tmp_path / "in" / "a.wav"
    path.parent.mkdir()
    soundfile.write(path, np.zeros(80000), 8000)
    cuts = run_here(ReadAudioFolderJob(folder=tk.Path(str(tmp_path / "in")), convert=True)).out_cuts
    with pytest.raises(CorpusError, match="utterance a: 8000 Hz and 1 channel.*\n.*ConvertAudioJob"):
        run_here(CutAtPausesJob(cuts=cuts))


def test_pieces_without_a_length_are_refused():
    with pytest.raises(ValueError, match="max_seconds: 1.0, expected 2 or more"):
        CutAtPausesJob(cuts=tk.Path("/cuts"), max_seconds=1.0)
