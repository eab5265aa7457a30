"""The paired bootstrap: against plain loops, at its extremes, and through the job."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.files import read_json
from ctc_kd.scoring.bootstrap import SignificanceJob, compare, draws, resampled_wers

# speaker -> (words, errors of row A, errors of row B) of each utterance
SPEAKERS = [
    [(10, 3, 1), (7, 0, 0), (12, 4, 4)],
    [(5, 1, 2)],
    [(9, 2, 1), (11, 5, 3)],
    [(20, 2, 2), (3, 1, 0)],
    [(8, 1, 1)],
    [(15, 6, 5), (6, 0, 1)],
]
WORDS, *ERRORS = np.array([np.sum(utterances, axis=0) for utterances in SPEAKERS], dtype=float).T


def wers(drawn):
    """WER of A and B over a list of speakers, utterance by utterance."""
    utterances = [utterance for speaker in drawn for utterance in SPEAKERS[speaker]]
    words = sum(utterance[0] for utterance in utterances)
    return [100 * sum(utterance[row] for utterance in utterances) / words for row in (1, 2)]


def test_parity_with_a_loop_over_the_same_samples():
    samples = draws(len(SPEAKERS), 200, seed=3)
    assert samples.shape == (200, 6) and (samples.sum(axis=1) == 6).all()
    expected = [wers([speaker for speaker, times in enumerate(sample) for _ in range(times)]) for sample in samples]
    np.testing.assert_allclose(resampled_wers(samples, ERRORS, WORDS).T, expected)


def test_parity_with_a_plain_bootstrap():
    """Another generator and speakers drawn one by one: the same interval and p within the noise of the samples."""
    generator = random.Random(5)
    loop = [wers(generator.choices(range(len(SPEAKERS)), k=len(SPEAKERS))) for _ in range(10_000)]
    expected = compare(0.0, np.array([a - b for a, b in loop]))
    sampled = resampled_wers(draws(len(SPEAKERS), 10_000, seed=1), ERRORS, WORDS)
    found = compare(0.0, sampled[0] - sampled[1])
    assert found["low"] == pytest.approx(expected["low"], abs=0.15)
    assert found["high"] == pytest.approx(expected["high"], abs=0.15)
    assert found["p"] == pytest.approx(expected["p"], abs=0.02)
    assert 0 < found["p"] < 0.2


def test_interval_and_p_by_hand():
    """-10, -9, ..., 990: 11 of 1,001 samples are not above 0."""
    found = compare(490.0, np.arange(-10, 991))
    assert found == pytest.approx({"difference": 490.0, "low": 15.0, "high": 965.0, "p": 22 / 1001})


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=50))
def test_both_directions_agree(values):
    sampled = np.array(values)
    forth, back = compare(1.0, sampled), compare(-1.0, -sampled)
    assert forth["p"] == back["p"] and 0 <= forth["p"] <= 1
    assert (back["low"], back["high"]) == pytest.approx((-forth["high"], -forth["low"]))


def test_the_rate_of_false_alarms():
    """Two rows that do not differ, over 40 speakers of unlike size: p < 0.05 in about one of twenty sets."""
    generator = np.random.default_rng(7)
    alarms = 0
    for _ in range(300):
        words = generator.integers(50, 500, size=40).astype(float)
        errors = [generator.poisson(words * generator.gamma(4, 0.02, size=40)) for _ in range(2)]
        sampled = resampled_wers(draws(40, 1000, seed=1), errors, words)
        alarms += compare(0.0, sampled[0] - sampled[1])["p"] < 0.05
    assert 3 <= alarms <= 36  # 15 expected; the bootstrap of few speakers is somewhat too sure


@pytest.fixture
def files(tmp_path):
    """Six speakers with three utterances of five words each, and hypotheses by the number of wrong words."""
    from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
    from ctc_kd.corpus.transcripts import write_transcripts

    names = [f"{speaker}-{number}" for speaker in "abcdef" for number in range(3)]
    cuts = [
        whole_recording_cut(name, audio="a.flac", num_samples=16_000, sample_rate_hz=16_000, speaker=name[0])
        for name in names
    ]
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), cuts)
    write_transcripts(str(tmp_path / "references"), dict.fromkeys(names, "A B C D E"))

    def hypotheses(name, wrong):
        """:param wrong: utterance number -> wrong words"""
        path = str(tmp_path / name)
        texts = {utterance: " ".join("ABCDE"[int(wrong[utterance[-1]]) :]) for utterance in names}
        write_transcripts(path, texts)
        return tk.Path(path)

    inputs = {"references": tk.Path(str(tmp_path / "references")), "cuts": tk.Path(str(tmp_path / "cuts.jsonl.gz"))}
    return inputs, hypotheses


def test_job(files, run_here):
    inputs, hypotheses = files
    rows = {
        "baseline": [hypotheses("baseline", {"0": 2, "1": 1, "2": 0})],
        "copy": [hypotheses("copy", {"0": 2, "1": 1, "2": 0})],
        "better": [hypotheses(f"seed{seed}", {"0": wrong, "1": 0, "2": 0}) for seed, wrong in ((1, 1), (2, 2))],
    }
    against = {"copy": ["baseline", "copy"], "better": ["baseline"]}
    job = run_here(SignificanceJob(**inputs, hypotheses=rows, against=against))
    result = read_json(job.out_significance.get_path())
    assert (result["speakers"], result["utterances"], result["words"], result["reliable"]) == (6, 18, 90, True)
    assert result["wer"] == pytest.approx({"baseline": 20.0, "copy": 20.0, "better": 10.0})
    same = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert result["comparisons"][:2] == [{"row": "copy", "against": row, **same} for row in ("baseline", "copy")]
    # every speaker has the same errors, so that no sample differs from another
    better = result["comparisons"][2]
    assert (better["row"], better["against"], better["p"]) == ("better", "baseline", 0.0)
    assert [better[name] for name in ("difference", "low", "high")] == pytest.approx([-10.0] * 3)


def test_few_speakers_are_called_unreliable(files, run_here, tmp_path, capsys):
    inputs, _ = files
    for name in ("references", "hypotheses"):
        (tmp_path / name).write_text("".join(f"{speaker}-0 A\n" for speaker in "abcd"))
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    assert not read_json(run_here(job).out_significance.get_path())["reliable"]
    assert "fewer than 5 speakers" in capsys.readouterr().out


def test_utterances_without_speaker_are_refused(files, run_here, tmp_path):
    inputs, _ = files
    for name in ("references", "hypotheses"):
        (tmp_path / name).write_text("a-0 A\nz-0 A\n")
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    with pytest.raises(ValueError, match="cuts.jsonl.gz: 1 problem.*\n  z-0: no speaker"):
        run_here(job)


def test_speakers_without_words_are_refused(files, run_here, tmp_path):
    inputs, _ = files
    for name in ("references", "hypotheses"):
        (tmp_path / name).write_text("a-0 A\nb-0\n")
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    with pytest.raises(ValueError, match="no words of b"):
        run_here(job)


def test_other_utterances_are_refused(files, run_here, tmp_path):
    inputs, _ = files
    (tmp_path / "hypotheses").write_text("a-0 A\n")
    job = SignificanceJob(**inputs, hypotheses={"row": [tk.Path(str(tmp_path / "hypotheses"))]}, against={})
    with pytest.raises(ValueError, match="a-1 is missing"):
        run_here(job)


def test_unknown_rows_are_refused_when_the_graph_is_made(files):
    inputs, hypotheses = files
    rows = {"kd": [hypotheses("kd", {"0": 0, "1": 0, "2": 0})]}
    with pytest.raises(ValueError, match="no hypotheses of baseline; expected only kd"):
        SignificanceJob(**inputs, hypotheses=rows, against={"kd": ["baseline"]})
