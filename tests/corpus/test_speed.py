import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.corpus.speed import LENGTH_FACTORS, PerturbedTranscriptsJob, perturb, perturbed_id, perturbed_length
from ctc_kd.corpus.transcripts import read_transcripts, write_transcripts


@settings(max_examples=30)  # the first example imports torch
@given(num_samples=st.integers(1, 40_000), factor=st.sampled_from(LENGTH_FACTORS))
def test_length(num_samples, factor):
    samples = perturb(np.full(num_samples, 1000, dtype=np.int16), factor)
    assert samples.dtype == np.int16
    assert len(samples) == perturbed_length(num_samples, factor)
    assert factor * num_samples - 1e-6 <= len(samples) < factor * num_samples + 1


@pytest.mark.parametrize("factor", LENGTH_FACTORS)
def test_a_tone_becomes_higher_where_it_becomes_shorter(factor):
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    heard = perturb(tone.round().astype(np.int16), factor).astype(float)
    expected = 8000 * np.sin(2 * np.pi * 440 / factor * np.arange(len(heard)) / 16000)
    inside = slice(200, -200)
    assert np.abs(heard[inside] - expected[inside]).max() < 8000 * 0.005


def test_full_scale_does_not_wrap_around():
    square = np.where(np.arange(8000) % 100 < 50, 32767, -32768).astype(np.int16)
    heard = perturb(square, 1.1)
    assert heard.max() == 32767
    assert heard.min() == -32768
    for number in range(2, 70):
        middle = round(1.1 * (100 * number + 25))
        assert heard[middle - 5 : middle + 5].min() > 30000


def test_ids():
    assert [perturbed_id("19-198-0000", factor) for factor in LENGTH_FACTORS] == [
        "19-198-0000-sp0.9",
        "19-198-0000",
        "19-198-0000-sp1.1",
    ]


def test_transcripts_under_all_ids(run_here, tmp_path):
    write_transcripts(tmp_path / "transcripts.txt", {"b": "X Y", "a": "Z"})
    job = PerturbedTranscriptsJob(transcripts=tk.Path(str(tmp_path / "transcripts.txt")), factors=[1.0, 0.9])
    path = run_here(job).out_transcripts.get_path()
    assert list(read_transcripts(path).items()) == [("b", "X Y"), ("a", "Z"), ("b-sp0.9", "X Y"), ("a-sp0.9", "Z")]
