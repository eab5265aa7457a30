"""A part of a corpus is held out by recordings, as long as they are not too long for that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts, segment_cut, whole_recording_cut, write_cuts
from ctc_kd.corpus.hold_out import HoldOutJob, chosen
from ctc_kd.corpus.problems import CorpusError

durations = st.lists(st.floats(0.5, 30.0), min_size=2, max_size=60)


@given(durations, st.floats(0.02, 0.49))
def test_about_the_share_of_short_recordings(seconds, share):
    held_out = chosen([(f"recording {number}", length) for number, length in enumerate(seconds)], share)
    assert 0 < len(held_out) < len(seconds)
    found, total = sum(seconds[number] for number in held_out), sum(seconds)
    assert found >= share * total / 2 or len(held_out) == len(seconds) - 1
    assert found <= max(2 * share * total, share * total + max(seconds)) + 1e-6


@given(st.permutations([str(recording) for recording in range(12) for _ in range(4)]))
def test_no_recording_is_on_both_sides(recordings):
    named = [(recording, 2.0) for recording in recordings]
    held_out = chosen(named, 0.3)
    assert held_out
    recordings = {named[number][0] for number in held_out}
    assert held_out == {number for number, (recording, _) in enumerate(named) if recording in recordings}


def test_of_one_long_recording_the_end_is_held_out():
    assert chosen([("talk", 10.0)] * 40, 0.05) == {38, 39}


@pytest.fixture
def manifest(tmp_path):
    """``manifest(num)``: cuts of 2 s of one recording, after ten recordings of their own."""

    def write(num):
        whole = [cut(f"a{number}", 2) for number in range(10 if num else 0)]
        talk = cut("talk", 1000).recording
        parts = [
            segment_cut(f"talk-{number}", recording=talk, start=32000 * number, num_samples=32000, speaker="b")
            for number in range(num)
        ]
        write_cuts(tmp_path / "cuts.jsonl.gz", [*whole, *parts] or [cut("a", 2)])
        return tk.Path(str(tmp_path / "cuts.jsonl.gz"))

    def cut(name, seconds):
        audio = f"/audio/{name}.flac"
        return whole_recording_cut(name, audio=audio, num_samples=16000 * seconds, sample_rate_hz=16000, speaker="a")

    return write


def test_both_manifests_keep_the_order(run_here, manifest):
    job = run_here(HoldOutJob(cuts=manifest(30), share=0.1))
    train, held_out = ([cut.id for cut in read_cuts(path.get_path())] for path in (job.out_train, job.out_held_out))
    order = [*(f"a{number}" for number in range(10)), *(f"talk-{number}" for number in range(30))]
    assert len(held_out) == 4 and all(name.startswith("a") for name in held_out)
    assert train == [name for name in order if name not in held_out]
    assert held_out == [name for name in order if name in held_out]


def test_one_utterance_cannot_be_divided(run_here, manifest):
    with pytest.raises(CorpusError, match="1 utterances, expected at least 2"):
        run_here(HoldOutJob(cuts=manifest(0)))


@pytest.mark.parametrize("share", [0, 0.5, -0.1])
def test_a_share_is_less_than_half(share):
    with pytest.raises(ValueError, match="expected a number between 0 and 0.5"):
        HoldOutJob(cuts=tk.Path("cuts"), share=share)
