"""Coverage and spikes against plain definitions, one utterance and one frame at a time."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.analysis.counting import count_frames
from ctc_kd.analysis.spikes import SpikeStatistics

CLASSES, BLANK = 5, 4
SELECTIONS = [
    {"rule": "all"},
    {"rule": "eliminate"},
    *({"rule": "symmetric", "parameters": {"n": n}} for n in range(1, 6)),
    {"rule": "trim"},
    *({"rule": "threshold", "parameters": {"alpha": alpha}} for alpha in (0.9, 0.6)),
    *({"rule": "random", "parameters": {"beta": beta}} for beta in (0.5, 2.0)),
]


def make_utterances(seed, count=9):
    generator = np.random.default_rng(seed)
    for index in range(count):
        logits = generator.normal(size=(int(generator.integers(1, 40)), CLASSES))
        logits[:, BLANK] += generator.uniform(0, 3)
        yield f"utterance-{index}", logits.astype("float16")


def count(utterances, batch_frames=100, selections=SELECTIONS, **options):
    return count_frames(utterances, selections, blank=BLANK, frame_shift_s=0.04, batch_frames=batch_frames, **options)


def plain_kept(logits, rule, parameters):
    """Number of frames that a rule keeps of one utterance, from its definition in words."""
    best = logits.argmax(axis=1)
    labels = [t for t in range(len(best)) if best[t] != BLANK]
    posteriors = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(axis=1, keepdims=True)
    match rule:
        case "all":
            return len(best)
        case "eliminate":
            return len(labels)
        case "symmetric":
            return sum(any(abs(t - label) <= parameters["n"] for label in labels) for t in range(len(best)))
        case "trim":
            return labels[-1] - labels[0] + 1 if labels else 0
        case "threshold":
            unsure = [t for t in range(len(best)) if best[t] == BLANK and posteriors[t, BLANK] < parameters["alpha"]]
            return len(labels) + len(unsure)
        case "random":
            return min(len(labels) + round(parameters["beta"] * len(labels)), len(best))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_shares_equal_the_plain_definition(seed):
    utterances = list(make_utterances(seed))
    coverage = count(utterances)
    frames = sum(len(logits) for _, logits in utterances)
    assert (coverage["frames"], coverage["utterances"]) == (frames, len(utterances))
    for selection, entry in zip(SELECTIONS, coverage["selections"], strict=True):
        parameters = selection.get("parameters", {})
        expected = sum(plain_kept(logits, selection["rule"], parameters) for _, logits in utterances)
        assert entry["frames"] == expected, entry
        assert entry["share"] == expected / frames
        assert entry["parameter"] == next(iter(parameters.values()), None)


@pytest.mark.parametrize("batch_frames", [1, 7, 10_000])
def test_result_does_not_depend_on_batches(batch_frames):
    utterances = list(make_utterances(3))
    expected = count(utterances)
    result = count(utterances, batch_frames)
    assert result.pop("mean_entropy") == pytest.approx(expected.pop("mean_entropy"), rel=1e-6)
    assert result == expected


def test_entropy_and_blank_share():
    logits = np.zeros((4, CLASSES), dtype="float16")
    logits[:3, BLANK] = 60  # certain: no entropy
    coverage = count([("a", logits)])
    assert coverage["mean_entropy"] == pytest.approx(np.log(CLASSES) / 4, rel=1e-5)
    assert coverage["blank_share"] == 0.75


def plain_spikes(best):
    """(label, start, end) of each maximal run of the same non-blank label."""
    spikes = []
    for t, label in enumerate(best):
        if label != BLANK and (t == 0 or best[t - 1] != label):
            spikes.append([label, t, t])
        if label != BLANK:
            spikes[-1][2] = t + 1
    return spikes


@given(st.lists(st.lists(st.integers(0, BLANK), min_size=1, max_size=30), min_size=1, max_size=4))
def test_spikes_equal_the_plain_definition(utterances):
    statistics = SpikeStatistics()
    for best in utterances:
        statistics.add(np.array(best), blank=BLANK)
    spikes = [plain_spikes(best) for best in utterances]
    lengths = [end - start for found in spikes for _, start, end in found]
    gaps = [right[1] - left[2] for found in spikes for left, right in zip(found, found[1:], strict=False)]
    summary = statistics.summary(0.04)
    assert summary["count"] == len(lengths)
    assert summary["per_second"] == pytest.approx(len(lengths) / (0.04 * sum(map(len, utterances))))
    assert summary["length_histogram"] == {str(n): lengths.count(n) for n in sorted(set(lengths))}
    assert summary["mean_gap_frames"] == (pytest.approx(np.mean(gaps)) if gaps else None)
    if lengths:
        assert summary["mean_length_frames"] == pytest.approx(np.mean(lengths))
        assert summary["single_frame_share"] == pytest.approx(lengths.count(1) / len(lengths))


def test_prior_needs_the_prior():
    with pytest.raises(ValueError, match="log_prior"):
        count(make_utterances(0), selections=[{"rule": "prior", "parameters": {"scale": 0.5}}])


def test_empty_store_is_an_error():
    with pytest.raises(ValueError, match="no frames"):
        count([])


@pytest.mark.parametrize("metadata", [{}, {"first_centre_s": 0.0225}], ids=["store of an earlier version", "store"])
def test_job(tmp_path, run_jobs, metadata):
    from sisyphus import tk

    from ctc_kd.analysis.coverage import CoverageJob
    from ctc_kd.store import HdfWriter

    utterances = list(make_utterances(5))
    random.Random(0).shuffle(utterances)
    (tmp_path / "store").mkdir()
    for name, part in (("0.hdf", utterances[:4]), ("1.hdf", utterances[4:])):
        with HdfWriter(tmp_path / "store" / name, labels=["A", "B", "C", "D", "[blank]"], metadata=metadata) as writer:
            for tag, logits in part:
                writer.add(tag, logits)
    log_prior = np.log([0.1, 0.1, 0.1, 0.1, 0.6])
    np.savetxt(tmp_path / "prior.txt", log_prior)
    prior = {"rule": "prior", "parameters": {"scale": 0.5}}
    job = CoverageJob(
        logits=tk.Path(str(tmp_path / "store")),
        selections=[*SELECTIONS, prior],
        log_prior=tk.Path(str(tmp_path / "prior.txt")),
    )
    run_jobs(job.out_coverage)
    with open(job.out_coverage.get_path()) as file:
        coverage = json.load(file)
    assert coverage["first_centre_s"] == metadata.get("first_centre_s")
    assert coverage["selections"][:-1] == count(utterances)["selections"]
    corrected = sum(int(((logits - 0.5 * log_prior).argmax(axis=1) != BLANK).sum()) for _, logits in utterances)
    assert coverage["selections"][-1] == {
        "rule": "prior",
        "parameter": 0.5,
        "frames": corrected,
        "share": corrected / coverage["frames"],
    }
